import { hangup } from "./hangup.ts";

const INTERRUPTED = 130;

/**
 * SIGINT, SIGTERM and, unless it has another meaning, SIGHUP as a promise. A second signal ends the process at once, and
 * with it all that it started.
 */
export function stopSignal({ atHangup = false } = {}) {
  let isAsked = false;
  const asked = Promise.withResolvers<void>();
  const stop = () => {
    if (isAsked) process.exit(1);
    isAsked = true;
    asked.resolve();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  for (const signal of atHangup ? hangup() : []) process.on(signal, stop);
  // The supervisor of this worker was killed, and nothing else would stop the worker.
  process.on("disconnect", stop);
  return {
    asked: asked.promise,
    isAsked: () => isAsked,
    /** What `work` gives; a signal that comes before ends the process, and with it all that it started. */
    endsWhile: async <T>(work: Promise<T>): Promise<T> => {
      let isPending = true;
      void asked.promise.then(() => isPending && process.exit(INTERRUPTED));
      try {
        return await work;
      } finally {
        isPending = false;
      }
    },
  };
}
