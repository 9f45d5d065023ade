import { hangupUnlessIgnored } from "./hangup.ts";

/** The exit code of a shell for a process that was ended by SIGINT. */
export const INTERRUPTED = 130;
const PARENT_POLL_MS = 500;

/**
 * Makes SIGINT, SIGTERM and SIGHUP print `sentence`, stop everything that this process has started,
 * and exit with 130. Under `bun run`, which may be killed without a signal to this process, the end
 * of the parent does the same.
 */
export function endWhenInterrupted(sentence: string): void {
  const end = () => {
    console.error(`\n${sentence}`);
    process.exit(INTERRUPTED);
  };
  for (const signal of ["SIGINT", "SIGTERM", ...hangupUnlessIgnored()] as const)
    process.once(signal, end);
  // The launcher sets this variable for this process, not for its children.
  const parent = Number(process.env.IRONTRACK_PARENT_PID ?? process.ppid);
  delete process.env.IRONTRACK_PARENT_PID;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => process.ppid !== parent && end(), PARENT_POLL_MS).unref();
}
