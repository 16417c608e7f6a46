// Choosing a file: by a button, or dropped anywhere on the page.

import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { html } from "./html.js";

/** A button that asks for a file and hands it to `onFile`. */
export function FileButton({ accept, onFile, name, className, label, children }) {
  const input = useRef(null);
  const chosen = (event) => {
    const [file] = event.target.files;
    event.target.value = ""; // The same file again is a choice, too.
    if (file) onFile(file);
  };
  return html`<button
      type="button"
      class=${className}
      aria-label=${label}
      title=${label}
      data-testid=${name}
      onClick=${() => input.current.click()}
    >${children}</button>
    <input
      ref=${input}
      type="file"
      hidden
      accept=${accept}
      data-testid=${`${name}-input`}
      onChange=${chosen}
    />`;
}

/** Covers the page while a file is dragged over it. */
export function DropZone({ studio, t }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hasFile = (event) => event.dataTransfer?.types.includes("Files");
    const handlers = {
      dragover: (event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        setOver(true);
      },
      dragleave: (event) => event.relatedTarget === null && setOver(false),
      drop: (event) => {
        if (!hasFile(event)) return;
        event.preventDefault(); // Else the browser leaves the page for the file.
        setOver(false);
        const [file] = event.dataTransfer.files;
        if (file) studio.files.open(file);
      },
    };
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler);
    };
  }, [studio]);
  return over && html`<div class="drop" data-testid="drop"><p>${t("drop_here")}</p></div>`;
}
