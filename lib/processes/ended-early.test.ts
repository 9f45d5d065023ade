import { expect, test } from "bun:test";
import { COMMANDS, interruptCommand } from "#test/interrupted-commands.ts";

/** Some commands with one signal each; the slow test tries all combinations. */
const CASES = [
  ["up", "SIGHUP", 2500],
  ["test", "SIGINT", 1500],
  ["bun bench", "SIGKILL", 5000],
] as const;

test.each(CASES)(
  "%s, ended by %s at any time, leaves no process and no temporary directory",
  async (name, signal, maxMs) => {
    const { wasRunning, processes, directories } = await interruptCommand(
      COMMANDS[name] as string[],
      signal,
      300 + Math.random() * maxMs,
    );
    expect({ wasRunning, processes, directories }).toEqual({
      wasRunning: true,
      processes: [],
      directories: [],
    });
  },
);

test("an interrupted bench prints that it is incomplete, and exits with 130", async () => {
  const { code, output } = await interruptCommand(COMMANDS.counts as string[], "SIGINT", "begun");
  expect(output).toContain("incomplete");
  expect(code).toBe(130);
});
