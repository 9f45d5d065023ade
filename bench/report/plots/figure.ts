import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { escaped } from "../html.ts";

/** Widths of plots in px: the full page, half of it, and a phone. */
export const WIDTHS = { wide: 1056, half: 330, narrow: 358 } as const;

/** The plot for a width in px; `isNarrow` leaves little room for labels. */
export type Drawing = (width: number, isNarrow: boolean) => Plot.PlotOptions;

export type FigureOptions = {
  caption: string;
  /** The text alternative for screen readers. */
  alternative: string;
  legend?: Legend;
  isHalf?: boolean;
};

export type Legend = { names: string[]; colours: string[] };

export const legendOf = (entries: { name: string; colour: string }[]): Legend => ({
  names: entries.map(({ name }) => name),
  colours: entries.map(({ colour }) => colour),
});

/** A figure with caption, legend and the plot for wide and narrow windows. */
export function figureHtml(
  { caption, alternative, legend, isHalf }: FigureOptions,
  drawing: Drawing,
): string {
  const wide = plotSvg(drawing, isHalf ? WIDTHS.half : WIDTHS.wide, isHalf ?? false);
  return `<figure><figcaption>${escaped(caption)}</figcaption>${legend ? legendHtml(legend) : ""}
<div role="img" aria-label="${escaped(alternative)}"><div class="wide">${wide}</div><div class="narrow">${plotSvg(drawing, WIDTHS.narrow, true)}</div></div></figure>`;
}

/** A static SVG. Its colours are custom properties of the page, so it follows dark mode. */
export function plotSvg(drawing: Drawing, width: number, isNarrow: boolean): string {
  const { document } = parseHTML("<html><body></body></html>");
  const options: Plot.PlotOptions = {
    width,
    style: STYLE,
    document: document as never,
    className: "plot",
    ...drawing(width, isNarrow),
  };
  const svg: string = Plot.plot(options).outerHTML;
  // Coordinates need no more than a tenth of a px; rounding them saves a third of the page's size.
  return svg
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]+>/g, (tag) => tag.replace(/-?\d+\.\d\d+/g, rounded));
}

const rounded = (number: string): string => String(+Number(number).toFixed(1));

const STYLE = {
  background: "none",
  color: "currentColor",
  fontSize: "12px",
  maxWidth: "100%",
  height: "auto",
};

const legendHtml = ({ names, colours }: Legend): string =>
  `<ul class="legend">${names.map((name, n) => `<li style="--colour:${colours[n]}">${escaped(name)}</li>`).join("")}</ul>`;

/** At most `limit` evenly spaced rows, including the first and the last. */
export function thinned<Row>(rows: Row[], limit = 100): Row[] {
  if (rows.length <= limit) return rows;
  const step = (rows.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, n) => rows[Math.round(n * step)] as Row);
}
