import { expect, test } from "bun:test";
import { COMMANDS, interruptCommand } from "#test/interrupted-commands.ts";

/** Most of the time is waiting, so ten commands run at once. */
const [BATCHES, BATCH_SIZE] = [2, 10];
const MAX_DELAY_MS = 15_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] as const;
const CASES = Object.keys(COMMANDS).flatMap((name) =>
  SIGNALS.map((signal) => [name, signal] as const),
);

test.each(CASES)(
  "%s, ended by %s at any time, leaves no process and no temporary directory",
  async (name, signal) => {
    for (let batch = 0; batch < BATCHES; batch++) {
      const delaysMs = Array.from({ length: BATCH_SIZE }, () => Math.random() * MAX_DELAY_MS);
      const outcomes = await Promise.all(
        delaysMs.map((delayMs) => interruptCommand(COMMANDS[name] as string[], signal, delayMs)),
      );
      const leftovers = outcomes.map(({ processes, directories }, i) => ({
        delayMs: delaysMs[i],
        processes,
        directories,
      }));
      expect(leftovers).toEqual(
        delaysMs.map((delayMs) => ({ delayMs, processes: [], directories: [] })),
      );
    }
  },
);
