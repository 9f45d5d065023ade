import type { Log } from "#src/log.ts";

/** A running program that can be waited for. */
type Piece = { pid: number; ended: Promise<void>; stop(): Promise<void> };

/** A program that is started again when it ends by itself. */
export type KeptUp<T extends Piece> = {
  /** The one that runs, or the last that did. */
  now(): T;
  /** Stops it in order and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** The wait before it is started again, doubled each time it ends young. */
const BACK_OFF_MS = { first: 50, most: 2000 };
const YOUNG_MS = 10_000;
const MOST_YOUNG_ENDS = 8;

/**
 * Starts a piece and keeps it up until `stop`. `onUp` is told each time it is up again; `onLost` once, when it
 * cannot be kept up, and nothing is tried any more.
 */
export async function keepUp<T extends Piece>(
  name: string,
  start: () => Promise<T>,
  { log, onLost, onUp }: { log: Log; onLost: (reason: string) => void; onUp: () => void },
): Promise<KeptUp<T>> {
  let piece = await start();
  let startedAtMs = performance.now();
  let youngEnds = 0;
  let isStopping = false;
  log.info({ piece: name, pid: piece.pid }, "piece is up");

  const begin = async () => {
    for (;;) {
      try {
        startedAtMs = performance.now();
        piece = await start();
        log.info({ piece: name, pid: piece.pid }, "piece is up again");
        watch(piece);
        return onUp();
      } catch (error) {
        if (++youngEnds >= MOST_YOUNG_ENDS) return onLost(`${name} cannot be kept up: ${(error as Error).message}`);
        log.warn({ piece: name, err: error }, "piece does not start");
        await Bun.sleep(backOffMs(youngEnds));
        if (isStopping) return;
      }
    }
  };
  const watch = (watched: T) => {
    void watched.ended.then(async () => {
      if (isStopping || watched !== piece) return;
      youngEnds = performance.now() - startedAtMs < YOUNG_MS ? youngEnds + 1 : 0;
      log.warn({ piece: name, pid: watched.pid }, "piece ended");
      if (youngEnds >= MOST_YOUNG_ENDS) return onLost(`${name} keeps ending`);
      await Bun.sleep(backOffMs(youngEnds));
      if (!isStopping) await begin();
    });
  };
  watch(piece);

  return {
    now: () => piece,
    restart: async () => {
      const before = piece;
      // From here on its end is ours.
      piece = { ...piece };
      await before.stop();
      await begin();
    },
    stop: async () => {
      isStopping = true;
      await piece.stop();
    },
  };
}

const backOffMs = (ends: number) => Math.min(BACK_OFF_MS.first * 2 ** ends, BACK_OFF_MS.most);
