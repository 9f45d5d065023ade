import * as Plot from "@observablehq/plot";
import { figure } from "../html.ts";

/**
 * Labels of a logarithmic axis, all of which are shown: Plot's own leave out some that are asked
 * for.
 */
export type LogTicks = { domain: [number, number]; ticks: number[] };

const DIGITS = [1, 2, 5];
/** So many times the least: only powers of ten have a label. */
const MANY = 300;

/** From the round number below all values (1, 2 or 5 times a power of ten) to the one above. */
export function logTicks(values: number[]): LogTicks {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const digits = most / least > MANY ? [1] : DIGITS;
  const round = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5].flatMap((exponent) =>
    digits.map((digit) => +`${digit}e${exponent}`),
  );
  const from = round.findLast((tick) => tick <= least) ?? least;
  const to = round.find((tick) => tick >= most) ?? most;
  const labelled = most / least > MANY ? round.filter((_, at) => at % DIGITS.length === 0) : round;
  return { domain: [from, to], ticks: labelled.filter((tick) => tick >= from && tick <= to) };
}

export function logAxisX({ ticks }: LogTicks, label: string): Plot.Markish[] {
  const words = {
    text: (value: number) => figure(value),
    label,
    labelAnchor: "center",
    labelArrow: "none",
  } as const;
  return [Plot.gridX(ticks), Plot.axisX(ticks, words)];
}

export function logAxisY({ ticks }: LogTicks, label: string): Plot.Markish[] {
  const words = { text: (value: number) => figure(value), label, labelArrow: "none" } as const;
  return [Plot.gridY(ticks), Plot.axisY(ticks, words)];
}
