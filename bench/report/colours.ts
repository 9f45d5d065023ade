// Plots refer to colours as CSS custom properties, so that pages and pictures follow the reader's
// light or dark mode without a script.

/** For unordered categories. */
const CATEGORIES: [light: string, dark: string][] = [
  ["#3b5fcb", "#86a4ff"],
  ["#c46a00", "#f5b14d"],
  ["#c93a2b", "#ff8775"],
  ["#12806e", "#5fd3bd"],
  ["#8446cf", "#c6a1ff"],
  ["#7a5235", "#d6ac8c"],
  ["#39802f", "#86d47c"],
  ["#b8337f", "#f79bcb"],
  ["#737000", "#d3cf55"],
  ["#5c6370", "#aeb4c0"],
];

/**
 * One per segment of the latency breakdown: waiting is paler than the work it belongs to, and the
 * unexplained rest is grey.
 */
const SEGMENTS: [light: string, dark: string][] = [
  ["#3b5fcb", "#86a4ff"],
  ["#7a5235", "#d6ac8c"],
  ["#d97a06", "#f5a63a"],
  ["#f3c27c", "#8f6320"],
  ["#d8cf8a", "#6e681f"],
  ["#8446cf", "#c6a1ff"],
  ["#a9bdf0", "#3f56a0"],
  ["#c93a2b", "#ff7b68"],
  ["#f0a79e", "#8c3c32"],
  ["#b8337f", "#f79bcb"],
  ["#2f7d3a", "#6fce74"],
  ["#a5d6a0", "#386b38"],
  ["#12908f", "#5fd3d0"],
  ["#8a909c", "#8a909c"],
];

const PAGE: [name: string, light: string, dark: string][] = [
  ["page", "#ffffff", "#12161d"],
  ["panel", "#f6f7f9", "#1b212b"],
  ["text", "#1c2028", "#e6e9ef"],
  ["dim", "#5a6270", "#a3abb8"],
  ["line", "#d9dde3", "#343c49"],
  ["good", "#1d7a3a", "#6fce74"],
  ["bad", "#b3261e", "#ff8775"],
];

/** The nth category colour; they repeat after ten. */
export const category = (n: number): string => `var(--c${n % CATEGORIES.length})`;

export const CATEGORY_COLOURS = CATEGORIES.map((_, n) => category(n));

/** In the order of the segments. */
export const SEGMENT_COLOURS = SEGMENTS.map((_, n) => `var(--s${n})`);

/** The custom properties, for both modes. */
export function coloursCss(): string {
  const all = [
    ...PAGE,
    ...CATEGORIES.map(([light, dark], n) => [`c${n}`, light, dark] as const),
    ...SEGMENTS.map(([light, dark], n) => [`s${n}`, light, dark] as const),
  ];
  const properties = (mode: 1 | 2) =>
    all.map((colour) => `--${colour[0]}:${colour[mode]}`).join(";");
  return `:root{color-scheme:light dark;${properties(1)}}
@media (prefers-color-scheme:dark){:root{${properties(2)}}}`;
}
