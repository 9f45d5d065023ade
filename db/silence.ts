import { noAnswer } from "./errors.ts";

export type Silence = {
  /** Call for each answer of the database. */
  hear(nowMs: number): void;
  /** Calls `giveUp` when the database has answered nothing for too long; returns the function that says it is over. */
  watch(sinceMs: number, giveUp: (error: Error) => void): () => void;
};

const LOOK_INTERVAL_MS = 250;

/**
 * Tells a database that answers nothing from a statement that takes long. The driver waits for an answer for ever, and a
 * server that is stopped, or a network that drops everything, closes no connection. Something must ask the database now and
 * then, as readiness does once a second, or one long statement by itself looks like silence.
 */
export function createSilence(silentAfterMs: number): Silence {
  const waiting = new Set<{ sinceMs: number; giveUp: (error: Error) => void }>();
  let heardMs = performance.now();
  let lookedMs = heardMs;
  let timer: Timer | undefined;

  const look = () => {
    const nowMs = performance.now();
    // This process stood still: answers may be there and unread.
    if (nowMs - lookedMs > 2 * LOOK_INTERVAL_MS) heardMs = nowMs;
    lookedMs = nowMs;
    if (waiting.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    if (nowMs - heardMs < silentAfterMs) return;
    for (const entry of waiting) {
      if (nowMs - entry.sinceMs < silentAfterMs) continue;
      waiting.delete(entry);
      entry.giveUp(noAnswer());
    }
  };

  return {
    hear: (nowMs) => {
      heardMs = nowMs;
    },
    watch: (sinceMs, giveUp) => {
      const entry = { sinceMs, giveUp };
      waiting.add(entry);
      if (!timer) {
        lookedMs = sinceMs;
        timer = setInterval(look, LOOK_INTERVAL_MS);
      }
      return () => void waiting.delete(entry);
    },
  };
}
