import { type Config, Settings } from "../config.ts";
import { type Program, startProgram } from "../processes/programs.ts";
import { isExecutable } from "../shipped-files.ts";

export type Environment = Record<string, string | undefined>;

export type Worker = Program & {
  /** Resolves when it answers, ready or not, and goes on living. Rejects when it does not, or `signal` is aborted. */
  untilAnswers(signal: AbortSignal): Promise<void>;
  /** Resolves when it has left several requests in a row without an answer. */
  untilHung(signal: AbortSignal): Promise<void>;
  isReady(): Promise<boolean>;
};

/** How long a worker may take until it answers. */
const ANSWER_TIMEOUT_MS = 60_000;
/** How long a worker must have lived after its first answer: what fails after a socket is there ends it soon. */
const SETTLE_MS = 200;
const FIRST_POLL_MS = 25;
const POLL_MS = { unready: 100, ready: 1000 };
const ANSWER_WITHIN_MS = 3000;
/**
 * A worker hangs that has left this many requests in a row without an answer, and has given none for so long: a machine
 * that was suspended, or a socket that is missing for a moment, is neither.
 */
const HUNG = { unanswered: 4, ms: 10_000 };
/** What a worker may take to stop beyond its two limits for draining. */
const STOP_MARGIN_MS = 8000;
/** Longer than the five seconds for which the proxy keeps an idle connection to a worker. */
const LINGER_S = 6;

/**
 * Ourselves, as one worker: from the sources, or from the executable that ships. It has the settings it is given, and does
 * not look into `.env` for others. `onReady` is called once, when it says that it is ready.
 */
export function startWorker(
  socketPath: string,
  { DRAIN_LINGER_S: lingerS = LINGER_S, DRAIN_TIMEOUT_S: drainS }: Config,
  given: Environment,
  onReady: (worker: Worker) => void,
): Worker {
  const command = isExecutable ? [] : ["--no-env-file", Bun.main];
  // An executable cannot be told not to look: it is given every setting, and what is empty counts as unset.
  const unset = isExecutable ? Object.fromEntries(Object.keys(Settings.properties).map((name) => [name, ""])) : {};
  const program = startProgram([process.execPath, ...command, "serve"], {
    env: { ...unset, ...given, SOCKET_PATH: socketPath, HOST: "", DRAIN_LINGER_S: String(lingerS) },
    // By the channel a worker learns that its supervisor is gone.
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    graceMs: (lingerS + drainS) * 1000 + STOP_MARGIN_MS,
  });
  let isHung = false;
  let wasReady = false;
  const ask = async () => {
    const status = await askReady(socketPath);
    if (status !== 200 || wasReady || program.hasEnded()) return status;
    wasReady = true;
    onReady(worker);
    return status;
  };
  const worker: Worker = {
    ...program,
    stop: () => (isHung ? program.kill() : program.stop()),
    isReady: async () => (await ask()) === 200,
    untilAnswers: async (signal) => {
      for (
        const deadline = performance.now() + ANSWER_TIMEOUT_MS;
        !program.hasEnded();
        await Bun.sleep(FIRST_POLL_MS)
      ) {
        if (signal.aborted) throw new Error("it was stopped while it started");
        if (performance.now() > deadline) {
          isHung = true;
          throw new Error(`it has not answered for ${ANSWER_TIMEOUT_MS / 1000} s`);
        }
        if ((await askReady(socketPath)) === undefined) continue;
        await Promise.race([program.ended, Bun.sleep(SETTLE_MS)]);
        if (program.hasEnded()) break;
        await ask();
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
        if ((await ask()) === undefined) unanswered++;
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

/** Resolves when the worker says that it is ready. Rejects after `timeoutMs`, at its end, or when `signal` is aborted. */
export async function untilReady(worker: Worker, timeoutMs: number, signal: AbortSignal): Promise<void> {
  for (const deadline = performance.now() + timeoutMs; !signal.aborted; await Bun.sleep(FIRST_POLL_MS)) {
    if (worker.hasEnded()) throw new Error(await howItEnded(worker));
    if (await worker.isReady()) return;
    if (performance.now() > deadline) throw new Error(`it was not ready within ${timeoutMs / 1000} s`);
  }
  throw new Error("it was stopped while it started");
}

async function howItEnded({ ended }: Program): Promise<string> {
  const { code, signal, error } = await ended;
  return error ? `it could not be started: ${error.message}` : `it ended with ${signal ?? code}`;
}

/** The status of its readiness, which no worker waits for its database to tell; undefined if it does not answer. */
const askReady = (unix: string): Promise<number | undefined> =>
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
