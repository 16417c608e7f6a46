// The menu for showing doodle and picture to others, and what is said about it.

import { useLayoutEffect, useRef } from "./vendor/preact-hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";

export function ShareMenu({ studio, state, t }) {
  const { files, share } = studio;
  const items = () => [
    { name: "copy-link", icon: "link", label: t("copy_link"), action: () => share.copyLink() },
    ...(state.picture ? itemsOfPicture() : []),
  ];
  const itemsOfPicture = () => [
    { name: "save-card", icon: "compare", label: t("save_card"), action: () => share.saveCard() },
    {
      name: "save-time-lapse",
      icon: "film",
      label: t("save_time_lapse"),
      action: () => share.saveTimeLapse(),
    },
    ...(files.canShare
      ? [
          { name: "share", icon: "share", label: t("share_picture"), action: () => files.share() },
          { name: "share-card", icon: "share", label: t("share_card"), action: () => share.sendCard() },
        ]
      : []),
  ];
  return html`<${Menu}
    name="share-menu"
    icon="share"
    label=${t("share")}
    disabled=${!state.labels}
    items=${items}
  />`;
}

/** Above the page, whatever its layout; always there, so that a screen reader hears what comes. */
export function ShareNotice({ studio, state, t }) {
  const { notice, timeLapse } = state;
  const { share } = studio;
  return html`<div class="notice-place" role="status">
    ${timeLapse
      ? html`<${Making} ...${{ timeLapse, share, t }} />`
      : notice && html`<${Notice} key=${notice.key} ...${{ notice, share, t }} />`}
  </div>`;
}

function Notice({ notice, share, t }) {
  return html`<div class="notice" data-testid="notice" data-key=${notice.key}>
    <p>${t(notice.key)}</p>
    <${CloseButton} label=${t("dismiss")} name="notice-close" onClick=${() => share.tell(null)} />
    ${notice.link && html`<${LinkField} link=${notice.link} label=${t("copy_link")} />`}
  </div>`;
}

function LinkField({ link, label }) {
  const field = useRef(null);
  const select = () => {
    field.current.select();
    field.current.scrollLeft = 0; // It is known by its start.
  };
  useLayoutEffect(() => field.current.focus(), [link]);
  return html`<input
    ref=${field}
    readonly
    value=${link}
    aria-label=${label}
    data-testid="link"
    onFocus=${select}
  />`;
}

function Making({ timeLapse, share, t }) {
  const { done, of } = timeLapse;
  return html`<div class="notice" data-testid="time-lapse">
    <p>${t("time_lapse_making")}</p>
    <${CloseButton} label=${t("cancel")} name="time-lapse-cancel" onClick=${() => share.cancel()} />
    <progress max=${of} value=${done} aria-label=${t("time_lapse_making")} />
  </div>`;
}

function CloseButton({ name, label, onClick }) {
  return html`<button
    type="button"
    class="icon-button"
    aria-label=${label}
    title=${label}
    data-testid=${name}
    onClick=${onClick}
  ><${Icon} name="close" /></button>`;
}
