import type { Recording } from "../load/recording.ts";

/**
 * The average time in ms that a request was in flight together with one sent before it, as the
 * generator recorded it. A server that handles one request at a time delays it by the part of this
 * time in which the other used the thread.
 */
export function overlapMsOf({ sent, done }: Pick<Recording, "sent" | "done">): number {
  let earlierDoneMs = Number.NEGATIVE_INFINITY;
  let overlapMs = 0;
  let answered = 0;
  for (let index = 0; index < sent.length; index++) {
    const [from, to] = [sent[index] as number, done[index] as number];
    if (Number.isNaN(to)) continue;
    overlapMs += Math.max(Math.min(earlierDoneMs, to) - from, 0);
    earlierDoneMs = Math.max(earlierDoneMs, to);
    answered++;
  }
  return overlapMs / Math.max(answered, 1);
}

/** The share of a load's time in which at least one request was in flight. */
export function inFlightShareOf({ sent, done }: Pick<Recording, "sent" | "done">): number {
  let coveredToMs = Number.NEGATIVE_INFINITY;
  let coveredMs = 0;
  for (let index = 0; index < sent.length; index++) {
    const [from, to] = [sent[index] as number, done[index] as number];
    if (Number.isNaN(to)) continue;
    coveredMs += Math.max(to - Math.max(from, coveredToMs), 0);
    coveredToMs = Math.max(coveredToMs, to);
  }
  return coveredMs / Math.max(coveredToMs - (sent[0] ?? 0), Number.MIN_VALUE);
}
