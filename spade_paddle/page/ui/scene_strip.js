// Ways to begin, as small pictures to tap: starter scenes, and a photo of one's own.

import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { FileButton } from "./open_file.js";
import { GridView } from "./view.js";

export function SceneStrip({ studio, state, t }) {
  const { scenes, labels, canAnnotate, annotating } = state;
  if (!scenes?.length) return null;
  return html`<section class="strip scenes" aria-label=${t("scenes")}>
    <h2>${t("scenes")}</h2>
    <ul>
      ${canAnnotate &&
      html`<li key="photo">
        <${FileButton}
          accept="image/*"
          name="photo-to-doodle"
          className=${`tile tile-photo ${annotating ? "is-busy" : ""}`}
          label=${t("photo_start_long")}
          onFile=${(file) => studio.files.open(file)}
        >
          <span class="tile-icon"><${Icon} name="photo" /></span>
          <span class="tile-name" aria-hidden="true">${t("photo_start")}</span>
        <//>
      </li>`}
      ${scenes.map((scene) => {
        const name = t(`scene_${scene.name}`);
        return html`<li key=${scene.name}>
          <button
            type="button"
            class="tile"
            aria-label=${t("use_scene", { name })}
            data-testid=${`scene-${scene.name}`}
            onClick=${() => studio.useGrid(scene.grid)}
          >
            <${Thumbnail} scene=${scene} labels=${labels} />
            <span class="tile-name" aria-hidden="true">${name}</span>
          </button>
        </li>`;
      })}
    </ul>
  </section>`;
}

function Thumbnail({ scene, labels }) {
  const canvas = useRef(null);
  useEffect(() => {
    // Each on its own, and the sheet is there before them.
    const timer = setTimeout(() => {
      const { grid } = scene;
      new GridView(canvas.current, grid, labels).draw(wholeRect(grid));
    });
    return () => clearTimeout(timer);
  }, [scene, labels]);
  return html`<canvas ref=${canvas} aria-hidden="true" />`;
}
