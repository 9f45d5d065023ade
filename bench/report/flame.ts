import type { Frame, Owner } from "../measure/cpu-profile.ts";
import { coloursCss } from "./colours.ts";
import { escaped } from "./html.ts";

const WIDTH = 1200;
const MARGIN = 16;
const ROW_PX = 19;
const TOP = 76;
const LETTER_PX = 6.6;
/** Narrower frames are not drawn. */
const MIN_PX = 1.5;

type Box = { frame: Frame; before: Frame | undefined; x: number; width: number; depth: number };
type Totals = { now: number; before: number | undefined };

/**
 * A top-down flame graph as SVG, with a tooltip on every frame. With an earlier profile, the colours
 * show the difference: red frames take a larger share of the time than before, blue ones a smaller.
 */
export function flameSvg(tree: Frame, title: string, against?: Frame): string {
  const boxes = layOut({
    frame: tree,
    before: against,
    x: MARGIN,
    width: WIDTH - 2 * MARGIN,
    depth: 0,
  });
  const height = TOP + (Math.max(...boxes.map(({ depth }) => depth)) + 1) * ROW_PX + MARGIN;
  const totals: Totals = { now: tree.samples, before: against?.samples };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-monospace, monospace" font-size="11">
<title>${escaped(title)}</title>
<style>${coloursCss()} text{fill:var(--text)} .ours{fill:var(--c1)} .dependency{fill:var(--c0)} .runtime{fill:var(--c9)} .more{fill:var(--c2)} .less{fill:var(--c0)} .same{fill:var(--c9)} g:hover rect{stroke:currentColor}</style>
<rect width="100%" height="100%" fill="var(--page)"/>
<text x="${MARGIN}" y="28" font-size="15" font-weight="600" font-family="system-ui, sans-serif">${escaped(title)}</text>
${legend(against !== undefined)}
${boxes.map((box) => frameSvg(box, totals)).join("\n")}
</svg>
`;
}

/** The box of a frame and those of its callees, the widest first. */
function layOut(box: Box): Box[] {
  const { frame, before, depth } = box;
  let x = box.x;
  const callees = [...frame.children]
    .sort(([, a], [, b]) => b.samples - a.samples)
    .flatMap(([key, child]) => {
      const width = (child.samples / frame.samples) * box.width;
      const callee = {
        frame: child,
        before: before?.children.get(key),
        x,
        width,
        depth: depth + 1,
      };
      x += width;
      return width < MIN_PX ? [] : layOut(callee);
    });
  return [box, ...callees];
}

function frameSvg({ frame, before, x, width, depth }: Box, totals: Totals): string {
  const { name, where, samples, self } = frame;
  const y = TOP + depth * ROW_PX;
  const share = samples / totals.now;
  const was = totals.before === undefined ? undefined : (before?.samples ?? 0) / totals.before;
  const tooltip = [
    `${name}${where ? ` (${where})` : ""}`,
    `${percent(share)} of the time, ${percent(self / totals.now)} self; ${samples} samples`,
    ...(was === undefined ? [] : [`${percent(was)} before`]),
  ].join("\n");
  const letters = Math.floor((width - 6) / LETTER_PX);
  const label = letters < 3 ? "" : name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
  const [kind, opacity] =
    was === undefined ? [frame.owner, OWNER_OPACITY[frame.owner]] : difference(share - was);
  return `<g><title>${escaped(tooltip)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.6, 0.6).toFixed(1)}" height="${ROW_PX - 1}" rx="1.5" class="${kind}" fill-opacity="${opacity}"/>${label ? `<text x="${(x + 4).toFixed(1)}" y="${y + 13}">${escaped(label)}</text>` : ""}</g>`;
}

const OWNER_OPACITY: Record<Owner, number> = { ours: 0.6, dependency: 0.45, runtime: 0.3 };

/** Differences of 5 percentage points or more have the full colour. */
function difference(points: number): [kind: string, opacity: number] {
  if (Math.abs(points) < 0.002) return ["same", 0.25];
  return [
    points > 0 ? "more" : "less",
    +(0.2 + Math.min(Math.abs(points) / 0.05, 1) * 0.6).toFixed(2),
  ];
}

function legend(isDifference: boolean): string {
  const keys = isDifference
    ? [
        ["more", "larger share than before"],
        ["less", "smaller share"],
        ["same", "within 0.2 points"],
      ]
    : [
        ["ours", "IronTrack"],
        ["dependency", "dependencies"],
        ["runtime", "Bun and JavaScriptCore"],
      ];
  let x = MARGIN;
  return keys
    .map(([kind, label = ""]) => {
      const key = `<rect x="${x}" y="44" width="12" height="12" rx="2" class="${kind}" fill-opacity="0.6"/><text x="${x + 18}" y="54">${label}</text>`;
      x += 40 + label.length * LETTER_PX;
      return key;
    })
    .join("");
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
