import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { escaped } from "../html.ts";

/** Plots are drawn for these widths, in px: a wide window, half of one, and a telephone. */
export const WIDTHS = { wide: 1056, half: 330, narrow: 358 } as const;

/** What is drawn, for a width in px; `isNarrow` has little room for labels. */
export type Drawing = (width: number, isNarrow: boolean) => Plot.PlotOptions;

export type FigureOptions = {
  caption: string;
  /** What it shows, for who cannot see it. */
  alternative: string;
  legend?: Legend;
  isHalf?: boolean;
};

export type Legend = { names: string[]; colours: string[] };

/** A figure of a page: a caption, its legend and the plot, as wide as the window is. */
export function figureHtml(
  { caption, alternative, legend, isHalf }: FigureOptions,
  drawing: Drawing,
): string {
  const wide = plotSvg(drawing, isHalf ? WIDTHS.half : WIDTHS.wide, isHalf ?? false);
  return `<figure><figcaption>${escaped(caption)}</figcaption>${legend ? legendHtml(legend) : ""}
<div role="img" aria-label="${escaped(alternative)}"><div class="wide">${wide}</div><div class="narrow">${plotSvg(drawing, WIDTHS.narrow, true)}</div></div></figure>`;
}

/**
 * A plot as SVG, drawn once and without scripts; its colours are the page's, so they follow light
 * and dark.
 */
export function plotSvg(drawing: Drawing, width: number, isNarrow: boolean): string {
  const { document } = parseHTML("<html><body></body></html>");
  const options: Plot.PlotOptions = {
    ...{ width, style: STYLE, document: document as never, className: "plot" },
    ...drawing(width, isNarrow),
  };
  const drawn: string = Plot.plot(options).outerHTML;
  // A tenth of a px is more than anybody sees, and a third of the page's size. What is text stays
  // as it is.
  return drawn
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

/** At most `most` of `rows`, evenly; the first and the last are among them. */
export function thinned<Row>(rows: Row[], most = 100): Row[] {
  if (rows.length <= most) return rows;
  const step = (rows.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, n) => rows[Math.round(n * step)] as Row);
}
