import { expect, test } from "bun:test";
import { COMMANDS, endEarly } from "#test/ended-early.ts";

/** Each with one signal, at any time; ended-early.slow.test.ts has them all. */
const CASES = [
  ["up", "SIGHUP", 2500],
  ["test", "SIGINT", 1500],
  ["bun bench", "SIGKILL", 5000],
] as const;

test.each(CASES)(
  "what %s has started ends with it, and its temporary directories are gone: %s",
  async (name, signal, mostMs) => {
    const { wasRunning, processes, directories } = await endEarly(
      COMMANDS[name] as string[],
      signal,
      300 + Math.random() * mostMs,
    );
    expect({ wasRunning, processes, directories }).toEqual({ wasRunning: true, processes: [], directories: [] });
  },
);

test("a bench that is interrupted says that it is incomplete, and exits with 130", async () => {
  const { code, said } = await endEarly(COMMANDS.counts as string[], "SIGINT", "begun");
  expect(said).toContain("incomplete");
  expect(code).toBe(130);
});
