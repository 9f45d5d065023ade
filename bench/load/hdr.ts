import { build, HistogramLogWriter } from "hdr-histogram-js";
import type { Recording } from "./recording.ts";

/** Response times of one operation. */
export type Recorded = { operation: string; recording: Recording };

/**
 * An HDR histogram log (version 1.3, V2 encoding) for other tools: a tagged histogram for each
 * second of the response times of requests due in it, in µs with three digits. `startedMs` is ms
 * since 1970. Failures are left out.
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
      // The unit of the legend, which people read, is ms.
      writer.outputIntervalHistogram(histogram, second, second + 1, 1000);
    }
  }
  return text;
}

function bySecond({ due, done, status }: Recording): [second: number, responsesUs: number[]][] {
  const seconds = new Map<number, number[]>();
  for (let index = 0; index < due.length; index++) {
    const isAnswered = (status[index] as number) >= 200 && (status[index] as number) < 400;
    if (!isAnswered) continue;
    const second = Math.floor((due[index] as number) / 1000);
    const us = Math.max(1, Math.round(((done[index] as number) - (due[index] as number)) * 1000));
    const times = seconds.get(second);
    if (times) times.push(us);
    else seconds.set(second, [us]);
  }
  return [...seconds].sort(([a], [b]) => a - b);
}
