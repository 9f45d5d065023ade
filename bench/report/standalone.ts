import type { RunResult } from "../measure/run-http.ts";
import { coloursCss } from "./colours.ts";
import { escaped } from "./html.ts";
import { attributionDrawing, attributionLegend } from "./plots/attribution.ts";
import { type Drawing, type Legend, plotSvg } from "./plots/figure.ts";
import { operationsLegend, percentileDrawing } from "./plots/latency.ts";

const WIDTH = 880;
const MARGIN = 20;
const LINE_PX = 20;

/** Self-contained SVG pictures of a run for a README, by file name; they follow dark mode. */
export function standalonePlots({ host, profile, results }: RunResult): Record<string, string> {
  const source = `${host.commit}, ${profile}, ${host.cpu}`;
  return {
    "attribution.svg": pictureSvg(
      `Breakdown of the mean latency (${source})`,
      attributionLegend(results),
      attributionDrawing(results, "share"),
    ),
    "percentiles.svg": pictureSvg(
      `Latency by percentile (${source})`,
      operationsLegend(results),
      percentileDrawing(results),
    ),
  };
}

/** A plot with title, legend and its own background. */
function pictureSvg(title: string, legend: Legend, drawing: Drawing): string {
  const plot = plotSvg(drawing, WIDTH - 2 * MARGIN, false);
  const height = Number(/ height="([\d.]+)"/.exec(plot)?.[1]);
  const keys = legendSvg(legend);
  const top = MARGIN + 24 + keys.lines * LINE_PX + 8;
  const totalHeight = Math.ceil(top + height + MARGIN / 2);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${totalHeight}" width="${WIDTH}" height="${totalHeight}" role="img" font-family="system-ui, sans-serif">
<title>${escaped(title)}</title>
<style>${coloursCss()} svg{color:var(--text)}</style>
<rect width="100%" height="100%" rx="8" fill="var(--page)"/>
<text x="${MARGIN}" y="${MARGIN + 12}" font-size="15" font-weight="600" fill="var(--text)">${escaped(title)}</text>
${keys.svg}
${plot.replace("<svg", `<svg x="${MARGIN}" y="${top}"`)}
</svg>
`;
}

/** Wraps the legend to the width of the picture; a letter is taken to be 6.7 px wide. */
function legendSvg({ names, colours }: Legend): { svg: string; lines: number } {
  let [x, line] = [MARGIN, 0];
  const keys = names.map((name, n) => {
    const width = 36 + name.length * 6.7;
    if (x + width > WIDTH - MARGIN) [x, line] = [MARGIN, line + 1];
    const y = MARGIN + 24 + line * LINE_PX;
    const key = `<rect x="${x}" y="${y}" width="11" height="11" rx="2" fill="${colours[n]}"/><text x="${x + 17}" y="${y + 10}" font-size="12.5" fill="var(--text)">${escaped(name)}</text>`;
    x += width;
    return key;
  });
  return { svg: keys.join("\n"), lines: line + 1 };
}
