// The stamps, made by code from simple shapes. Coordinates go in heights of the stamp: y from 0 (top)
// to 1 (foot), x from 0 to its `ratio`. A part says which labels fit, by English name, the best first.
// An `extra` part that none fits is left out; a stamp that would lose another part is not offered.

/** An ellipse as a closed line, turned by `turn` (radians, clockwise). */
function oval(cx, cy, rx, ry, turn = 0) {
  return Array.from({ length: OVAL_CORNERS }, (_, i) => {
    const angle = (i / OVAL_CORNERS) * 2 * Math.PI;
    const [x, y] = [rx * Math.cos(angle), ry * Math.sin(angle)];
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    return [cx + x * cos - y * sin, cy + x * sin + y * cos];
  });
}

const OVAL_CORNERS = 48;

// Later parts cover earlier ones.
const STAMPS = [
  {
    name: "tree",
    icon: "tree",
    ratio: 0.84,
    parts: [
      // The trunk belongs to the label: in photos "tree" is all of a tree.
      {
        labels: ["tree"],
        outlines: [
          oval(0.42, 0.2, 0.24, 0.2),
          oval(0.2, 0.42, 0.2, 0.18),
          oval(0.64, 0.41, 0.2, 0.18),
          oval(0.42, 0.46, 0.28, 0.2),
          [[0.375, 0.6], [0.465, 0.6], [0.475, 0.88], [0.54, 1], [0.3, 1], [0.365, 0.88]],
        ],
      },
    ],
  },
  {
    name: "house",
    icon: "building",
    ratio: 1.2,
    parts: [
      {
        labels: ["house", "building", "building-other"],
        outlines: [
          [[0.56, 0], [1.06, 0.44], [0.06, 0.44]],
          [[0.16, 0.44], [0.96, 0.44], [0.96, 1], [0.16, 1]],
          [[0.76, 0.04], [0.88, 0.04], [0.88, 0.4], [0.76, 0.4]],
        ],
      },
      { extra: true, labels: ["tree", "bush"], outlines: [oval(1.04, 0.84, 0.15, 0.16)] },
      {
        extra: true,
        labels: ["flower"],
        outlines: [oval(0.12, 0.93, 0.12, 0.07), oval(0.32, 0.94, 0.11, 0.06)],
      },
    ],
  },
  {
    name: "cloud",
    icon: "cloud",
    ratio: 2,
    parts: [
      {
        labels: ["cloud", "clouds"],
        outlines: [
          oval(0.42, 0.66, 0.34, 0.3),
          oval(0.84, 0.42, 0.42, 0.42),
          oval(1.32, 0.52, 0.36, 0.36),
          oval(1.68, 0.74, 0.3, 0.24),
          oval(1, 0.8, 0.98, 0.2),
        ],
      },
    ],
  },
  {
    name: "mountain",
    icon: "mountain",
    ratio: 1.7,
    parts: [
      {
        labels: ["mountain"],
        outlines: [
          [[0, 1], [0.2, 0.74], [0.3, 0.66], [0.44, 0.4], [0.54, 0.28], [0.7, 0], [0.84, 0.2],
            [0.92, 0.26], [1.05, 0.52], [1.12, 0.5], [1.26, 0.3], [1.4, 0.5], [1.46, 0.64], [1.7, 1]],
        ],
      },
      {
        extra: true,
        labels: ["snow"],
        outlines: [
          [[0.7, 0], [0.84, 0.2], [0.92, 0.26], [0.955, 0.33], [0.87, 0.4], [0.8, 0.31], [0.71, 0.43],
            [0.62, 0.3], [0.55, 0.37], [0.5, 0.33], [0.54, 0.28]],
          [[1.26, 0.3], [1.344, 0.42], [1.3, 0.48], [1.25, 0.42], [1.19, 0.48], [1.164, 0.437]],
        ],
      },
    ],
  },
  {
    name: "island",
    icon: "island",
    ratio: 1.7,
    parts: [
      {
        extra: true,
        labels: ["water", "sea", "water-other"],
        outlines: [oval(0.85, 0.85, 0.85, 0.15)],
      },
      { labels: ["sand", "earth", "rock"], outlines: [oval(0.85, 0.82, 0.62, 0.13)] },
      { extra: true, labels: ["grass"], outlines: [oval(0.8, 0.755, 0.42, 0.085)] },
      { extra: true, labels: ["rock"], outlines: [oval(1.25, 0.78, 0.12, 0.09)] },
      {
        extra: true,
        labels: ["palm", "tree"],
        outlines: [
          [[0.72, 0.76], [0.8, 0.5], [0.92, 0.26], [0.98, 0.3], [0.89, 0.52], [0.83, 0.76]],
          oval(0.72, 0.24, 0.24, 0.06, -0.1),
          oval(0.78, 0.38, 0.22, 0.055, -0.75),
          oval(1.17, 0.27, 0.24, 0.06, 0.2),
          oval(1.11, 0.4, 0.22, 0.055, 0.85),
          oval(0.82, 0.12, 0.2, 0.055, 0.65),
          oval(1.08, 0.12, 0.2, 0.055, -0.6),
        ],
      },
    ],
  },
];

/**
 * The stamps that a label set can show: `[{ name, icon, ratio, parts }]`, `ratio` width by height,
 * `parts` as `{ id, outlines }` in the order of drawing, each outline a closed line of `[x, y]`.
 */
export function stampsFor(labels) {
  const idOf = new Map((labels ?? []).map((label) => [label.name_en, label.id]));
  const idFor = ({ labels: names }) => idOf.get(names.find((name) => idOf.has(name)));
  const isHad = (part) => idFor(part) !== undefined;
  return STAMPS.filter(({ parts }) => parts.every((part) => part.extra || isHad(part))).map((stamp) => ({
    ...stamp,
    parts: stamp.parts.filter(isHad).map((part) => ({ id: idFor(part), outlines: part.outlines })),
  }));
}

/** The stamp that is chosen, or the first where the label set lacks it; undefined where it has none. */
export function chosenStamp({ labels, stamp }) {
  const offered = stampsFor(labels);
  return offered.find(({ name }) => name === stamp) ?? offered[0];
}
