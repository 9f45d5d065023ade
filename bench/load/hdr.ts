import { build, HistogramLogWriter } from "hdr-histogram-js";
import type { Recording } from "./recording.ts";

/** Responses of one operation, from when a request was due. */
export type Recorded = { operation: string; recording: Recording };

/**
 * An HDR histogram log (version 1.3, V2 encoding) as other tools read it: a tagged histogram of the
 * responses to the requests that were due in each second, in µs with three digits. `startedMs` is
 * ms since 1970. Failures are left out.
 */
export function hdrLog(all: Recorded[], startedMs: number): string {
  let text = "";
  const writer = new HistogramLogWriter((line) => {
    text += line;
  });
  writer.outputLogFormatVersion();
  writer.outputComment(`[StartTime: ${(startedMs / 1000).toFixed(3)} (seconds since epoch)]`);
  writer.outputLegend();
  for (const { operation, recording } of all) {
    for (const [second, responsesUs] of bySecond(recording)) {
      const histogram = build({ numberOfSignificantValueDigits: 3, autoResize: true });
      histogram.tag = operation;
      for (const us of responsesUs) histogram.recordValue(us);
      // In ms, as the legend's unit is for humans to read.
      writer.outputIntervalHistogram(histogram, second, second + 1, 1000);
    }
  }
  return text;
}

function bySecond({ due, done, status }: Recording): [second: number, responsesUs: number[]][] {
  const seconds = new Map<number, number[]>();
  for (let at = 0; at < due.length; at++) {
    const isAnswered = (status[at] as number) >= 200 && (status[at] as number) < 400;
    if (!isAnswered) continue;
    const second = Math.floor((due[at] as number) / 1000);
    const us = Math.max(1, Math.round(((done[at] as number) - (due[at] as number)) * 1000));
    const known = seconds.get(second);
    if (known) known.push(us);
    else seconds.set(second, [us]);
  }
  return [...seconds].sort(([a], [b]) => a - b);
}
