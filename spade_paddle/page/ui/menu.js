// A button that opens a short list of things to do.

import { useLayoutEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** `items()`, asked when it opens: `[{ name, label, icon, action }]`; `name` is for tests. */
export function Menu({ name, icon, label, disabled, items }) {
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  const button = useRef(null);

  useLayoutEffect(() => {
    if (!open) return undefined;
    root.current.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
    const outside = (event) => root.current?.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current.focus();
  };
  const onKeyDown = (event) => {
    if (!open) return;
    const places = [...root.current.querySelectorAll("[role=menuitem]")];
    const at = places.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) places.at(to % places.length).focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    // The page's own shortcuts rest while a menu is open; Enter and Space press what has the focus.
    event.stopPropagation();
    if (to !== undefined) event.preventDefault();
  };

  return html`<div class="menu" ref=${root} onKeyDown=${onKeyDown}>
    <button
      ref=${button}
      type="button"
      class="icon-button"
      disabled=${disabled}
      aria-label=${label}
      title=${label}
      aria-haspopup="menu"
      aria-expanded=${open}
      data-testid=${name}
      onClick=${() => setOpen(!open)}
    ><${Icon} name=${icon} /></button>
    ${open &&
    html`<div class="menu-list" role="menu" aria-label=${label}>
      ${items().map(
        (item) => html`<button
          type="button"
          role="menuitem"
          tabindex="-1"
          data-testid=${item.name}
          onClick=${() => {
            close();
            item.action();
          }}
        ><${Icon} name=${item.icon} />${item.label}</button>`,
      )}
    </div>`}
  </div>`;
}
