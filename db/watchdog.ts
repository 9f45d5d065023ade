export type Watchdog = {
  /**
   * Watches a statement or a transaction. `drop` closes its connection; without it, only the limit
   * of the whole pool applies. Call the returned function when the work has ended; `isAnswered` is
   * false if its connection was lost.
   */
  watch(nowMs: number, drop?: () => void): (nowMs: number, isAnswered: boolean) => void;
};

export type WatchdogLimits = {
  /** All connections are dropped when none of them has answered for this long. */
  poolTimeoutMs: number;
  /** A connection is dropped when its statement has not been answered for this long. */
  statementTimeoutMs: number;
};

const CHECK_INTERVAL_MS = 250;

/**
 * Detects connections that will never answer, and calls `dropAll` if none of the pool does. The
 * driver waits for an answer forever, and a server that is stopped, or whose machine is lost,
 * closes no connection. Something must query the database now and then, as the readiness check does
 * once a second; otherwise one long statement looks like an unresponsive database.
 */
export function createWatchdog(limits: WatchdogLimits | undefined, dropAll: () => void): Watchdog {
  if (!limits) return { watch: () => () => {} };
  const { poolTimeoutMs, statementTimeoutMs } = limits;
  const running = new Set<{ startedMs: number; drop: (() => void) | undefined }>();
  let answeredMs = 0;
  let checkedMs = 0;
  let timer: Timer | undefined;

  const check = () => {
    const nowMs = performance.now();
    // This process was stalled: answers may have arrived that it has not read yet.
    if (nowMs - checkedMs > 2 * CHECK_INTERVAL_MS) answeredMs = nowMs;
    checkedMs = nowMs;
    if (running.size === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    if (nowMs - answeredMs >= poolTimeoutMs) {
      answeredMs = nowMs;
      return dropAll();
    }
    for (const { startedMs, drop } of running)
      if (nowMs - startedMs >= statementTimeoutMs) drop?.();
  };

  return {
    watch: (nowMs, drop) => {
      if (running.size === 0) answeredMs = nowMs;
      const entry = { startedMs: nowMs, drop };
      running.add(entry);
      if (!timer) {
        checkedMs = nowMs;
        timer = setInterval(check, CHECK_INTERVAL_MS);
      }
      return (endedMs, isAnswered) => {
        running.delete(entry);
        if (isAnswered) answeredMs = endedMs;
      };
    },
  };
}
