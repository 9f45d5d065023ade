import { expect, test } from "bun:test";
import { COMMANDS, interruptCommand } from "#test/interrupted-commands.ts";

const ROUNDS = 20;
const MAX_DELAY_MS = 15_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] as const;
const CASES = Object.keys(COMMANDS).flatMap((name) =>
  SIGNALS.map((signal) => [name, signal] as const),
);

test.each(CASES)(
  "%s, ended by %s at any time, leaves no process and no temporary directory",
  async (name, signal) => {
    for (let round = 0; round < ROUNDS; round++) {
      const afterMs = Math.random() * MAX_DELAY_MS;
      const { processes, directories } = await interruptCommand(
        COMMANDS[name] as string[],
        signal,
        afterMs,
      );
      expect({ afterMs, processes, directories }).toEqual({
        afterMs,
        processes: [],
        directories: [],
      });
    }
  },
);
