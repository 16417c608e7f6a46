// Starter scenes, made by code from simple shapes. Labels are found by their English names; a
// scene whose labels the model does not have is left out.

import { createGrid } from "./grid.js";

/** All scenes that this label set can show: `{ name, grid }`, `name` for the dictionary. */
export function makeScenes(labels, width, height) {
  const idOf = new Map(labels.map((label) => [label.name_en, label.id]));
  return SCENES.filter(({ needs }) => needs.every((name) => idOf.has(name))).map(
    ({ name, draw }) => new Scene(name, () => {
      const sketch = new Sketch(createGrid(width, height), idOf);
      draw(sketch);
      return sketch.grid;
    }),
  );
}

/** Draws its grid when that is first asked for, so that the sheet does not wait for all of them. */
class Scene {
  constructor(name, draw) {
    this.name = name;
    this.draw = draw;
    this.drawn = null;
  }

  get grid() {
    this.drawn ??= this.draw();
    return this.drawn;
  }
}

/** Paints in fractions of the grid: (0, 0) is the upper left corner, (1, 1) the lower right. */
class Sketch {
  constructor(grid, idOf) {
    this.grid = grid;
    this.idOf = idOf;
  }

  /** Give a label to every cell where `test(x, y)` holds; column by column, see `line`. */
  where(name, test) {
    const { width, height, cells } = this.grid;
    const id = this.idOf.get(name);
    for (let column = 0; column < width; column += 1) {
      for (let row = 0; row < height; row += 1) {
        const hit = test((column + 0.5) / width, (row + 0.5) / height);
        if (hit) cells[row * width + column] = id;
      }
    }
  }

  /** Everything below a line; a number is a level line. */
  below(name, level) {
    const at = typeof level === "number" ? () => level : line(level);
    this.where(name, (x, y) => y >= at(x));
  }

  /** Round shapes `[x, y, radius across, radius down]`. */
  blobs(name, list) {
    for (const [cx, cy, rx, ry] of list) {
      this.where(name, (x, y) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1);
    }
  }
}

/** A function of x alone that is worked out once in each column: the page needs all scenes soon. */
function line(at) {
  let lastX = null;
  let lastY = 0;
  return (x) => {
    if (x !== lastX) {
      lastX = x;
      lastY = at(x);
    }
    return lastY;
  };
}

/** A gentle line: `level` with waves of the given height and number. */
function hills(level, height, waves, phase = 0) {
  return (x) =>
    level -
    height * Math.sin((x * waves + phase) * 2 * Math.PI) -
    height * 0.35 * Math.sin((x * waves * 2.3 + phase * 1.7 + 0.2) * 2 * Math.PI);
}

/** A number in 0..1 for each whole number, always the same one. */
function chance(n) {
  const value = Math.sin(n * 127.1 + 311.7) * 43758.5453;
  return value - Math.floor(value);
}

/** Roughness of rock: corners at ever finer steps, about -1..1. */
function rough(x, seed) {
  let sum = 0;
  for (const [steps, height] of [[9, 0.9], [21, 0.55], [47, 0.3]]) {
    const step = Math.floor(x * steps);
    const along = x * steps - step;
    const here = chance(step + seed * 57 + steps);
    const next = chance(step + 1 + seed * 57 + steps);
    sum += height * (here + (next - here) * along - 0.5);
  }
  return sum;
}

/** A mountain line through `[x, y]` corners, a little rough between them. */
function ridge(corners, roughness = 0.055, seed = corners.length) {
  return line((x) => {
    let i = 1;
    while (i < corners.length - 1 && corners[i][0] < x) i += 1;
    const [[x0, y0], [x1, y1]] = [corners[i - 1], corners[i]];
    const along = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
    return y0 + (y1 - y0) * along + roughness * rough(x, seed);
  });
}

/** Snow lies where a mountain stands above `level`, with a ragged lower edge. */
function snowOn(top, level) {
  const edge = line((x) => level + 0.07 * rough(x * 1.7, 5));
  return (x, y) => y >= top(x) && y < edge(x);
}

const SCENES = [
  {
    name: "lake",
    needs: ["sky", "cloud", "mountain", "snow", "tree", "water", "grass"],
    draw(s) {
      const far = ridge([[0, 0.42], [0.2, 0.24], [0.33, 0.34], [0.56, 0.13], [0.78, 0.36], [1, 0.27]]);
      s.below("sky", 0);
      s.blobs("cloud", [[0.2, 0.12, 0.12, 0.04], [0.28, 0.09, 0.1, 0.045], [0.86, 0.16, 0.13, 0.035]]);
      s.below("mountain", far);
      s.where("snow", snowOn(far, 0.25));
      s.below("tree", hills(0.52, 0.018, 3.1, 0.1));
      s.below("water", 0.6);
      s.blobs("tree", [[0.02, 0.55, 0.16, 0.11], [0.98, 0.56, 0.12, 0.1]]);
      s.below("grass", (x) => 0.99 - 0.16 * (1 - x) ** 3);
    },
  },
  {
    name: "coast",
    needs: ["sky", "cloud", "water", "sand", "rock", "grass"],
    draw(s) {
      const cliff = ridge([[0, 0.25], [0.2, 0.28], [0.3, 0.36], [0.38, 0.57], [1, 1.2]]);
      s.below("sky", 0);
      s.blobs("cloud", [[0.62, 0.16, 0.2, 0.05], [0.72, 0.12, 0.13, 0.06], [0.2, 0.24, 0.12, 0.03]]);
      s.below("water", 0.42);
      s.where("rock", (x, y) => y < 0.56 && y > cliff(x));
      s.where("grass", (x, y) => x < 0.3 && y > cliff(x) && y < cliff(x) + 0.075 - 0.2 * x);
      s.where("sand", (x, y) => y > 0.98 - 0.42 * (1 - x) ** 1.4 + 0.015 * Math.sin(x * 14));
      s.blobs("rock", [[0.66, 0.6, 0.06, 0.035], [0.76, 0.63, 0.035, 0.025]]);
    },
  },
  {
    name: "meadow",
    needs: ["sky", "cloud", "tree", "grass", "flower"],
    draw(s) {
      s.below("sky", 0);
      s.blobs("cloud", [[0.3, 0.16, 0.17, 0.055], [0.4, 0.12, 0.12, 0.06], [0.8, 0.24, 0.14, 0.04]]);
      s.below("tree", hills(0.46, 0.015, 4.2, 0.3));
      s.below("grass", hills(0.53, 0.022, 1.1, 0.15));
      s.blobs("tree", [[0.76, 0.36, 0.13, 0.16], [0.67, 0.42, 0.09, 0.1], [0.86, 0.42, 0.09, 0.11]]);
      s.where("tree", (x, y) => Math.abs(x - 0.765) < 0.018 && y > 0.4 && y < 0.62);
      s.blobs("flower", [[0.2, 0.8, 0.16, 0.05], [0.46, 0.9, 0.2, 0.05], [0.08, 0.95, 0.12, 0.04], [0.8, 0.84, 0.12, 0.035]]);
    },
  },
  {
    name: "desert",
    needs: ["sky", "sand", "rock", "earth"],
    draw(s) {
      s.below("sky", 0);
      const mesa = ridge([[0, 0.5], [0.55, 0.5], [0.62, 0.36], [0.78, 0.35], [0.85, 0.47], [1, 0.44]]);
      s.where("rock", (x, y) => y < 0.6 && y > mesa(x));
      s.below("earth", hills(0.53, 0.012, 1.4, 0.4));
      s.below("sand", hills(0.58, 0.035, 0.9, 0.1));
      // The dark side of the near dune.
      const crest = (x) => 0.93 - 0.22 * Math.sin(Math.min(1, x * 1.15) * Math.PI * 0.62);
      s.where("earth", (x, y) => y > crest(x) && y < crest(x) + 0.11 * Math.sin(x * Math.PI) ** 2);
    },
  },
  {
    name: "peaks",
    needs: ["sky", "mountain", "snow", "rock", "tree"],
    draw(s) {
      const back = ridge([[0, 0.36], [0.18, 0.2], [0.34, 0.4], [0.66, 0.32], [0.86, 0.16], [1, 0.34]]);
      const front = ridge([[0, 0.62], [0.22, 0.48], [0.47, 0.12], [0.62, 0.4], [0.74, 0.36], [1, 0.66]]);
      s.below("sky", 0);
      s.below("mountain", back);
      s.where("snow", snowOn(back, 0.29));
      s.below("rock", front);
      s.where("snow", snowOn(front, 0.37));
      s.below("snow", hills(0.74, 0.03, 1.2, 0.6));
      s.below("tree", hills(0.9, 0.022, 2.4, 0.2));
    },
  },
  {
    name: "valley",
    needs: ["sky", "cloud", "mountain", "tree", "grass", "water"],
    draw(s) {
      s.below("sky", 0);
      s.blobs("cloud", [[0.5, 0.13, 0.22, 0.04], [0.6, 0.1, 0.13, 0.045]]);
      s.below("mountain", ridge([[0, 0.14], [0.22, 0.26], [0.5, 0.46], [0.76, 0.28], [1, 0.12]]));
      s.below("tree", (x) => 0.5 - 0.55 * (x - 0.5) ** 2 + 0.01 * Math.sin(x * 60));
      s.below("grass", (x) => 0.56 + 0.45 * (x - 0.5) ** 2);
      const middle = (y) => 0.5 + 0.13 * Math.sin((y - 0.56) * 8.5);
      s.where("water", (x, y) => y > 0.56 && Math.abs(x - middle(y)) < 0.02 + 0.42 * (y - 0.56) ** 1.4);
      s.blobs("tree", [[0.06, 0.8, 0.1, 0.1], [0.94, 0.74, 0.1, 0.1]]);
    },
  },
  {
    name: "canyon",
    needs: ["sky", "rock", "earth", "water", "sand"],
    draw(s) {
      s.below("sky", 0);
      s.below("rock", ridge([[0, 0.2], [0.24, 0.22], [0.3, 0.42], [0.56, 0.46], [0.64, 0.3], [1, 0.26]]));
      s.below("earth", (x) => 0.66 - 0.32 * Math.abs(x - 0.48) + 0.01 * Math.sin(x * 40));
      s.below("sand", (x) => 0.74 - 0.1 * Math.abs(x - 0.5));
      s.where("water", (x, y) => y > 0.7 && Math.abs(x - 0.48 - 0.06 * Math.sin(y * 16)) < 0.015 + 0.5 * (y - 0.7));
    },
  },
  {
    name: "village",
    needs: ["sky", "cloud", "mountain", "tree", "grass", "building", "flower"],
    draw(s) {
      s.below("sky", 0);
      s.blobs("cloud", [[0.72, 0.14, 0.16, 0.045], [0.8, 0.11, 0.1, 0.05]]);
      s.below("mountain", hills(0.4, 0.06, 1.3, 0.3));
      s.below("tree", hills(0.52, 0.016, 4.6, 0.5));
      s.below("grass", hills(0.62, 0.015, 1.2, 0.1));
      for (const [left, right, top] of [[0.18, 0.34, 0.5], [0.4, 0.52, 0.46], [0.58, 0.76, 0.52]]) {
        const center = (left + right) / 2;
        const roof = (x) => top - 0.09 + Math.abs(x - center) * 0.95;
        s.where("building", (x, y) => x > left && x < right && y > roof(x) && y < 0.68);
      }
      s.blobs("tree", [[0.09, 0.6, 0.07, 0.11], [0.86, 0.59, 0.08, 0.12]]);
      s.blobs("flower", [[0.2, 0.82, 0.2, 0.045], [0.66, 0.92, 0.26, 0.05]]);
    },
  },
];
