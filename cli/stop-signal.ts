import { hangupUnlessIgnored } from "#lib/command-line/hangup.ts";
import { INTERRUPTED } from "#lib/command-line/interrupts.ts";

/**
 * A promise of the first SIGINT, SIGTERM or, with `atHangup`, SIGHUP. A second signal ends the
 * process at once, with everything that it started.
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
  for (const signal of atHangup ? hangupUnlessIgnored() : []) process.on(signal, stop);
  // The IPC channel of a worker closes when its supervisor is killed.
  process.on("disconnect", stop);
  return {
    asked: asked.promise,
    isAsked: () => isAsked,
    /**
     * The result of `work`. A signal before that ends the process, with everything that it started.
     */
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
