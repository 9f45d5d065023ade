import { type Program, startProgram } from "#lib/processes/programs.ts";
import { isExecutable } from "#lib/shipped-files.ts";
import type { Config } from "#src/config/config.ts";
import { Settings } from "#src/config/settings.ts";

export type Environment = Record<string, string | undefined>;

export type Worker = Program & {
  /**
   * Resolves when it answers, ready or not, and stays alive. Rejects if it does not, or when
   * `signal` is aborted.
   */
  untilAnswers(signal: AbortSignal): Promise<void>;
  /** Resolves when it hangs, or `signal` is aborted. */
  untilHung(signal: AbortSignal): Promise<void>;
  isReady(): Promise<boolean>;
};

/** How long a worker may take until its first answer. */
const ANSWER_TIMEOUT_MS = 60_000;
/** How long a worker must live after its first answer: later steps of its start may still fail. */
const SETTLE_MS = 200;
const FIRST_POLL_MS = 25;
const POLL_MS = { unready: 100, ready: 1000 };
const ANSWER_WITHIN_MS = 3000;
/**
 * A worker hangs if it left this many requests in a row unanswered and has answered none for this
 * long. Both, so that neither a suspended machine nor a socket that is briefly missing counts as a
 * hang.
 */
const HUNG = { unanswered: 4, ms: 10_000 };
/** How long a worker may take to stop beyond its two drain limits. */
const STOP_MARGIN_MS = 8000;
/** Longer than the proxy's keep-alive timeout to a worker, which is 5 s. */
const LINGER_S = 6;

/**
 * Starts one worker, from the sources or the executable. It gets only the given settings and does
 * not read `.env`. `onReady` is called once, when it reports that it is ready.
 */
export function startWorker(
  socketPath: string,
  { DRAIN_LINGER_S: lingerS = LINGER_S, DRAIN_TIMEOUT_S: drainS }: Config,
  given: Environment,
  onReady: (worker: Worker) => void,
): Worker {
  const command = isExecutable ? [] : ["--no-env-file", Bun.main];
  // An executable always reads `.env`, so it gets every setting; an empty one counts as unset.
  const unset = isExecutable
    ? Object.fromEntries(Object.keys(Settings.properties).map((name) => [name, ""]))
    : {};
  const program = startProgram([process.execPath, ...command, "serve"], {
    env: { ...unset, ...given, SOCKET_PATH: socketPath, HOST: "", DRAIN_LINGER_S: String(lingerS) },
    // The IPC channel closes when the supervisor ends, which stops the worker.
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    graceMs: (lingerS + drainS) * 1000 + STOP_MARGIN_MS,
  });
  let isHung = false;
  let wasReady = false;
  const pollReady = async () => {
    const status = await fetchReadiness(socketPath);
    if (status !== 200 || wasReady || program.hasEnded()) return status;
    wasReady = true;
    onReady(worker);
    return status;
  };
  const worker: Worker = {
    ...program,
    stop: () => (isHung ? program.kill() : program.stop()),
    isReady: async () => (await pollReady()) === 200,
    untilAnswers: async (signal) => {
      for (
        const deadline = performance.now() + ANSWER_TIMEOUT_MS;
        !program.hasEnded();
        await Bun.sleep(FIRST_POLL_MS)
      ) {
        if (signal.aborted) throw new Error("it was stopped during its start");
        if (performance.now() > deadline) {
          isHung = true;
          throw new Error(`it did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
        }
        if ((await fetchReadiness(socketPath)) === undefined) continue;
        await Promise.race([program.ended, Bun.sleep(SETTLE_MS)]);
        if (program.hasEnded()) break;
        await pollReady();
        return;
      }
      if (program.hasEnded()) throw new Error(await howItEnded(program));
    },
    untilHung: async (signal) => {
      let unanswered = 0;
      let answeredAtMs = performance.now();
      while (unanswered < HUNG.unanswered || performance.now() - answeredAtMs < HUNG.ms) {
        await Bun.sleep(wasReady ? POLL_MS.ready : POLL_MS.unready);
        if (signal.aborted) return;
        if ((await pollReady()) === undefined) unanswered++;
        else {
          unanswered = 0;
          answeredAtMs = performance.now();
        }
      }
      isHung = !signal.aborted;
    },
  };
  return worker;
}

/**
 * Resolves when the worker is ready. Rejects after `timeoutMs`, when the worker ends, or when
 * `signal` is aborted.
 */
export async function untilReady(
  worker: Worker,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (
    const deadline = performance.now() + timeoutMs;
    !signal.aborted;
    await Bun.sleep(FIRST_POLL_MS)
  ) {
    if (worker.hasEnded()) throw new Error(await howItEnded(worker));
    if (await worker.isReady()) return;
    if (performance.now() > deadline)
      throw new Error(`it was not ready within ${timeoutMs / 1000} s`);
  }
  throw new Error("it was stopped during its start");
}

async function howItEnded({ ended }: Program): Promise<string> {
  const { code, signal, error } = await ended;
  return error ? `it could not be started: ${error.message}` : `it ended with ${signal ?? code}`;
}

/**
 * The status of its readiness probe, which never waits for the database; undefined if it does not
 * answer.
 */
const fetchReadiness = (unix: string): Promise<number | undefined> =>
  fetch("http://localhost/health/ready", {
    unix,
    keepalive: false,
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => undefined,
  );
