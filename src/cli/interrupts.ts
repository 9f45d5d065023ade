import { hangup } from "./hangup.ts";

/** What shells say of a process that SIGINT ended. */
const INTERRUPTED = 130;
const PARENT_POLL_MS = 500;

/**
 * From now on SIGINT, SIGTERM and SIGHUP say `sentence` and end this process with 130, after all that it started. So does
 * the end of `bun run`, which stands between this process and the one that called it.
 */
export function endWhenInterrupted(sentence: string): void {
  const end = () => {
    console.error(`\n${sentence}`);
    process.exit(INTERRUPTED);
  };
  for (const signal of ["SIGINT", "SIGTERM", ...hangup()] as const) process.once(signal, end);
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(), PARENT_POLL_MS).unref();
}
