export type Silence = {
  /**
   * A statement or a transaction begins to use the database. `drop` closes its connection; without
   * it, it may take as long as it likes. Call what is returned when it has ended: `isAnswered`
   * unless its connection was lost.
   */
  begin(nowMs: number, drop?: () => void): (nowMs: number, isAnswered: boolean) => void;
};

export type SilenceLimits = {
  /** All connections are dropped when none has answered anything for so long. */
  silentAfterMs: number;
  /**
   * A connection is dropped when its statement has not been answered for so long, though others
   * are.
   */
  longestStatementMs: number;
};

const LOOK_INTERVAL_MS = 250;

/**
 * Finds connections that will not answer any more, and calls `dropAll` when it is all of them. The
 * driver waits for an answer for ever, and a server that is stopped, or whose machine is lost,
 * closes no connection. Something must ask the database now and then, as readiness does once a
 * second, or one long statement looks like silence.
 */
export function createSilence(limits: SilenceLimits | undefined, dropAll: () => void): Silence {
  if (!limits) return { begin: () => () => {} };
  const { silentAfterMs, longestStatementMs } = limits;
  const underWay = new Set<{ sinceMs: number; drop: (() => void) | undefined }>();
  let heardMs = 0;
  let lookedMs = 0;
  let timer: Timer | undefined;

  const look = () => {
    const nowMs = performance.now();
    // This process stood still: answers may be there and unread.
    if (nowMs - lookedMs > 2 * LOOK_INTERVAL_MS) heardMs = nowMs;
    lookedMs = nowMs;
    if (underWay.size === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    if (nowMs - heardMs >= silentAfterMs) {
      heardMs = nowMs;
      return dropAll();
    }
    for (const { sinceMs, drop } of underWay) if (nowMs - sinceMs >= longestStatementMs) drop?.();
  };

  return {
    begin: (nowMs, drop) => {
      if (underWay.size === 0) heardMs = nowMs;
      const entry = { sinceMs: nowMs, drop };
      underWay.add(entry);
      if (!timer) {
        lookedMs = nowMs;
        timer = setInterval(look, LOOK_INTERVAL_MS);
      }
      return (endedMs, isAnswered) => {
        underWay.delete(entry);
        if (isAnswered) heardMs = endedMs;
      };
    },
  };
}
