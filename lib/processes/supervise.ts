/** A running program. */
export type Running = {
  ended: Promise<unknown>;
  /**
   * Ends the program, by force if necessary, and resolves when it has ended; at once if it has
   * already.
   */
  stop(): Promise<void>;
};

export type SupervisorOptions<T extends Running, Input> = {
  /**
   * Starts the program and resolves when it is usable. Rejects soon after `signal` is aborted. If
   * it rejects, no process is left running.
   */
  start(input: Input, signal: AbortSignal): Promise<T>;
  /** Resolves when the program hangs; never rejects. If absent, hangs are not detected. */
  untilHung?(running: T, signal: AbortSignal): Promise<void>;
  onUp?(running: T): void;
  /** Called when the program exits by itself, hangs, or fails to start (an Error). */
  onDown?(why: "ended" | "hung" | Error, running: T | undefined): void;
  /** The delay before a restart. It doubles each time the program ends soon after its start. */
  backOffMs?: { first: number; max: number };
};

/** Runs one program, and restarts it any number of times. */
export type Supervisor<T, Input> = {
  /** The running program; undefined while none runs. */
  current(): T | undefined;
  /** The running program, or the last that ran. Throws before the first start. */
  latest(): T;
  /**
   * Stops the program and starts it with `input`. Resolves to false if that start fails or `stop`
   * is called first; the next start then uses the previous input.
   */
  restart(input: Input): Promise<boolean>;
  /** Stops the program for good, and resolves when it has ended. */
  stop(): Promise<void>;
};

/** The end of a program that ran for longer than this resets the back-off. */
const STABLE_AFTER_MS = 10_000;
const BACK_OFF_MS = { first: 50, max: 2000 };

/** A requested restart. */
type Trial<Input> = { input: Input; settle: (isUp: boolean) => void };

/**
 * Keeps one program running until `stop`. A single loop starts, watches and stops it, one step at a
 * time. So at most one instance runs, each is stopped in the end, and a healthy one is stopped only
 * by `restart` or `stop`.
 */
export function supervise<T extends Running, Input>(
  first: Input,
  options: SupervisorOptions<T, Input>,
): Supervisor<T, Input> {
  const { first: firstBackOffMs, max: maxBackOffMs } = options.backOffMs ?? BACK_OFF_MS;
  let input = first;
  let current: T | undefined;
  let latest: T | undefined;
  let trial: Trial<Input> | undefined;
  let isStopping = false;
  let earlyEnds = 0;
  /** `restart` and `stop` abort it, which interrupts the current step of the loop. */
  let interruption = new AbortController();

  const tryStart = async (candidate: Input): Promise<T | undefined> => {
    try {
      return await options.start(candidate, interruption.signal);
    } catch (error) {
      // An aborted start is not a failure.
      if (!interruption.signal.aborted) options.onDown?.(error as Error, undefined);
      return undefined;
    }
  };
  const untilDown = async (running: T): Promise<"ended" | "hung" | "interrupted"> => {
    const watching = new AbortController();
    try {
      return await Promise.race([
        running.ended.then(() => "ended" as const),
        untilAborted(interruption.signal).then(() => "interrupted" as const),
        ...(options.untilHung
          ? [options.untilHung(running, watching.signal).then(() => "hung" as const)]
          : []),
      ]);
    } finally {
      watching.abort();
    }
  };
  const backOff = async () => {
    earlyEnds++;
    const waitMs = Math.min(firstBackOffMs * 2 ** earlyEnds, maxBackOffMs);
    await Promise.race([Bun.sleep(waitMs), untilAborted(interruption.signal)]);
  };

  /** Runs the program from start to end. Returns why it ended, or undefined if it did not start. */
  const runOne = async (tried: Trial<Input> | undefined) => {
    const running = await tryStart(tried ? tried.input : input);
    if (!running) {
      tried?.settle(false);
      return undefined;
    }
    if (tried) input = tried.input;
    current = running;
    latest = running;
    const startedAtMs = performance.now();
    if (!interruption.signal.aborted) options.onUp?.(running);
    tried?.settle(!isStopping);
    const why = await untilDown(running);
    await running.stop();
    current = undefined;
    if (why !== "interrupted") options.onDown?.(why, running);
    if (performance.now() - startedAtMs > STABLE_AFTER_MS) earlyEnds = 0;
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
  const finished = loop();

  let restarting: Promise<unknown> = Promise.resolve();
  const restart = (next: Input) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const begun = restarting.then(() => {
      if (isStopping) return resolve(false);
      trial = { input: next, settle: resolve };
      interruption.abort();
    });
    restarting = begun.then(() => promise);
    return promise;
  };
  return {
    current: () => current,
    latest: () => {
      if (latest === undefined) throw new Error("The program has not started yet");
      return latest;
    },
    restart,
    stop: () => {
      isStopping = true;
      interruption.abort();
      return finished;
    },
  };
}

/**
 * Like `supervise`, but waits for the first start, and throws its error without a retry if it
 * fails.
 */
export async function startSupervised<T extends Running, Input>(
  input: Input,
  options: SupervisorOptions<T, Input>,
): Promise<Supervisor<T, Input>> {
  const first = Promise.withResolvers<void>();
  let wasUp = false;
  const supervisor = supervise(input, {
    ...options,
    onUp: (running) => {
      if (wasUp) options.onUp?.(running);
      wasUp = true;
      first.resolve();
    },
    onDown: (why, running) => {
      if (wasUp) options.onDown?.(why, running);
      else first.reject(why);
    },
  });
  try {
    await first.promise;
    return supervisor;
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
