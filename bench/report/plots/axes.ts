import * as Plot from "@observablehq/plot";
import { figure } from "../../figures/format.ts";
import type { Legend } from "./figure.ts";

/** Explicit ticks of a logarithmic axis; Plot's own axis may omit labels. */
export type LogTicks = { domain: [number, number]; ticks: number[] };

const DIGITS = [1, 2, 5];
/** If max / min exceeds this, only powers of ten are labelled. */
const MAX_RANGE = 300;

/** Extends the range of `values` to 1, 2 or 5 times a power of ten on either side. */
export function logTicks(values: number[]): LogTicks {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const digits = max / min > MAX_RANGE ? [1] : DIGITS;
  const round = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5].flatMap((exponent) =>
    digits.map((digit) => +`${digit}e${exponent}`),
  );
  const from = round.findLast((tick) => tick <= min) ?? min;
  const to = round.find((tick) => tick >= max) ?? max;
  const labelled = max / min > MAX_RANGE ? round.filter((_, n) => n % DIGITS.length === 0) : round;
  return { domain: [from, to], ticks: labelled.filter((tick) => tick >= from && tick <= to) };
}

export function logAxisX({ ticks }: LogTicks, label: string): Plot.Markish[] {
  const options = {
    text: (value: number) => figure(value),
    label,
    labelAnchor: "center",
    labelArrow: "none",
  } as const;
  return [Plot.gridX(ticks), Plot.axisX(ticks, options)];
}

export function logAxisY({ ticks }: LogTicks, label: string): Plot.Markish[] {
  const options = { text: (value: number) => figure(value), label, labelArrow: "none" } as const;
  return [Plot.gridY(ticks), Plot.axisY(ticks, options)];
}

/** A linear axis of values, with a tick about every `tickPx`. */
export const valueAxis = (label: string, width: number, tickPx = 110) =>
  ({
    label,
    labelAnchor: "center",
    labelArrow: "none",
    grid: true,
    ticks: width / tickPx,
  }) as const;

export const nameAxis = (names: string[]) => ({ label: null, domain: names, tickSize: 0 });

export const SECONDS_AXIS = { label: "second", labelArrow: "none", ticks: 6 } as const;

export const colourScale = ({ names, colours }: Legend): Plot.ScaleOptions => ({
  type: "ordinal",
  domain: names,
  range: colours,
});
