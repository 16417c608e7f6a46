// Starter scenes as small pictures to tap.

import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { wholeRect } from "./grid.js";
import { html } from "./html.js";
import { GridView } from "./view.js";

export function SceneStrip({ studio, state, t }) {
  const { scenes, labels } = state;
  if (!scenes?.length) return null;
  return html`<section class="scenes" aria-label=${t("scenes")}>
    <h2>${t("scenes")}</h2>
    <ul>
      ${scenes.map((scene) => {
        const name = t(`scene_${scene.name}`);
        return html`<li key=${scene.name}>
          <button
            type="button"
            class="scene"
            aria-label=${t("use_scene", { name })}
            data-testid=${`scene-${scene.name}`}
            onClick=${() => studio.useScene(scene)}
          >
            <${Thumbnail} grid=${scene.grid} labels=${labels} />
            <span aria-hidden="true">${name}</span>
          </button>
        </li>`;
      })}
    </ul>
  </section>`;
}

function Thumbnail({ grid, labels }) {
  const canvas = useRef(null);
  useEffect(() => {
    new GridView(canvas.current, grid, labels).draw(wholeRect(grid));
  }, [grid, labels]);
  return html`<canvas ref=${canvas} aria-hidden="true" />`;
}
