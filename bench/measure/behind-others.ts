import type { Recording } from "../load/recording.ts";

/**
 * How long a request was on its way together with one that was sent before it, on average, in ms:
 * seen by the generator, request by request. Behind a server that does one thing at a time it waits
 * for as much of this as the other used the thread.
 */
export function overlapMsOf({ sent, done }: Pick<Recording, "sent" | "done">): number {
  let earlierDoneMs = Number.NEGATIVE_INFINITY;
  let overlapMs = 0;
  let answered = 0;
  for (let at = 0; at < sent.length; at++) {
    const [from, to] = [sent[at] as number, done[at] as number];
    if (Number.isNaN(to)) continue;
    overlapMs += Math.max(Math.min(earlierDoneMs, to) - from, 0);
    earlierDoneMs = Math.max(earlierDoneMs, to);
    answered++;
  }
  return overlapMs / Math.max(answered, 1);
}

/** Of the time of a load, the share in which some request was on its way. */
export function onWayShareOf({ sent, done }: Pick<Recording, "sent" | "done">): number {
  let coveredToMs = Number.NEGATIVE_INFINITY;
  let coveredMs = 0;
  for (let at = 0; at < sent.length; at++) {
    const [from, to] = [sent[at] as number, done[at] as number];
    if (Number.isNaN(to)) continue;
    coveredMs += Math.max(to - Math.max(from, coveredToMs), 0);
    coveredToMs = Math.max(coveredToMs, to);
  }
  return coveredMs / Math.max(coveredToMs - (sent[0] ?? 0), Number.MIN_VALUE);
}
