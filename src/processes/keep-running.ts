/** A running program that can be waited for and stopped. */
export type Running = {
  ended: Promise<unknown>;
  /** Resolves when it has ended, whatever it takes; at once if it had. */
  stop(): Promise<void>;
};

export type Keeping<T extends Running, Input> = {
  /**
   * Starts it and resolves when it can be used. Leaves nothing running when it rejects, which it does soon after `signal`
   * is aborted.
   */
  start(input: Input, signal: AbortSignal): Promise<T>;
  /** Resolves when it runs and answers nothing; rejects never. Absent: only its end counts. */
  untilHung?(running: T, signal: AbortSignal): Promise<void>;
  onUp?(running: T): void;
  /** It ended by itself, was hung, or did not start. */
  onDown?(why: "ended" | "hung" | Error, running: T | undefined): void;
  /** The wait before it is started again, doubled each time it ends young. */
  backOffMs?: { first: number; max: number };
};

/** One place for a program, which is filled again for as long as it takes. */
export type Kept<T, Input> = {
  /** The one that runs, or undefined while none does. */
  now(): T | undefined;
  /** The one that runs, or the last that did. Throws before the first. */
  latest(): T;
  /**
   * Stops the running one, then starts it with `input`. False if that does not start, or `stop` comes first; the one
   * after it is started with the input of before.
   */
  restart(input: Input): Promise<boolean>;
  /** Resolves when nothing runs, and nothing will. */
  stop(): Promise<void>;
};

/** One that ran for longer did not end of its start. */
const YOUNG_MS = 10_000;
const BACK_OFF_MS = { first: 50, max: 2000 };

type Trial<Input> = { input: Input; settle: (isUp: boolean) => void };

/**
 * Keeps one program running until `stop`. A single loop starts, watches and stops it, one step after the other: so there
 * are never two, none is forgotten, and none that answers is stopped unless `restart` or `stop` asks for that.
 */
export function keepRunning<T extends Running, Input>(first: Input, keeping: Keeping<T, Input>): Kept<T, Input> {
  const { first: firstBackOffMs, max: maxBackOffMs } = keeping.backOffMs ?? BACK_OFF_MS;
  let input = first;
  let current: T | undefined;
  let latest: T | undefined;
  let trial: Trial<Input> | undefined;
  let isStopping = false;
  let youngEnds = 0;
  /** Of the step that the loop is at; `restart` and `stop` interrupt it. */
  let interruption = new AbortController();

  const begin = async (given: Input): Promise<T | undefined> => {
    try {
      return await keeping.start(given, interruption.signal);
    } catch (error) {
      // Once aborted, it was our wish and no failure.
      if (!interruption.signal.aborted) keeping.onDown?.(error as Error, undefined);
      return undefined;
    }
  };
  const untilOver = async (running: T): Promise<"ended" | "hung" | "interrupted"> => {
    const watching = new AbortController();
    try {
      return await Promise.race([
        running.ended.then(() => "ended" as const),
        untilAborted(interruption.signal).then(() => "interrupted" as const),
        ...(keeping.untilHung ? [keeping.untilHung(running, watching.signal).then(() => "hung" as const)] : []),
      ]);
    } finally {
      watching.abort();
    }
  };
  const backOff = async () => {
    youngEnds++;
    const waitMs = Math.min(firstBackOffMs * 2 ** youngEnds, maxBackOffMs);
    await Promise.race([Bun.sleep(waitMs), untilAborted(interruption.signal)]);
  };

  /** Runs one program from its start to its end; gives how it ended, or undefined if it did not start. */
  const runOne = async (tried: Trial<Input> | undefined) => {
    const running = await begin(tried ? tried.input : input);
    if (!running) {
      tried?.settle(false);
      return undefined;
    }
    if (tried) input = tried.input;
    current = running;
    latest = running;
    const startedAtMs = performance.now();
    if (!interruption.signal.aborted) keeping.onUp?.(running);
    tried?.settle(!isStopping);
    const why = await untilOver(running);
    await running.stop();
    current = undefined;
    if (why !== "interrupted") keeping.onDown?.(why, running);
    if (performance.now() - startedAtMs > YOUNG_MS) youngEnds = 0;
    return why;
  };
  const loop = async () => {
    while (!isStopping) {
      interruption = new AbortController();
      const tried = trial;
      trial = undefined;
      const why = await runOne(tried);
      if (why !== "interrupted" && !interruption.signal.aborted) await backOff();
    }
    trial?.settle(false);
  };
  const over = loop();

  let restarting: Promise<unknown> = Promise.resolve();
  const restart = (given: Input) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const begun = restarting.then(() => {
      if (isStopping) return resolve(false);
      trial = { input: given, settle: resolve };
      interruption.abort();
    });
    restarting = begun.then(() => promise);
    return promise;
  };
  return {
    now: () => current,
    latest: () => {
      if (latest === undefined) throw new Error("Nothing was started yet");
      return latest;
    },
    restart,
    stop: () => {
      isStopping = true;
      interruption.abort();
      return over;
    },
  };
}

/** As `keepRunning`, once the first start has succeeded. Throws what that one throws; then nothing is tried again. */
export async function startAndKeep<T extends Running, Input>(
  input: Input,
  keeping: Keeping<T, Input>,
): Promise<Kept<T, Input>> {
  const first = Promise.withResolvers<void>();
  let wasUp = false;
  const kept = keepRunning(input, {
    ...keeping,
    onUp: (running) => {
      if (wasUp) keeping.onUp?.(running);
      wasUp = true;
      first.resolve();
    },
    onDown: (why, running) => {
      if (wasUp) keeping.onDown?.(why, running);
      else first.reject(why);
    },
  });
  try {
    await first.promise;
    return kept;
  } catch (error) {
    await kept.stop();
    throw error;
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
