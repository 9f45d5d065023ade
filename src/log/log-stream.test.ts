import { afterAll, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "#test/program.ts";
import { databaseSettings } from "#test/transaction.ts";
import { openLogStream } from "./log-stream.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-log-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a log whose reader stalls loses lines, reports how many, and keeps the others in order", async () => {
  const fifo = join(dir, "fifo");
  spawnSync("mkfifo", [fifo]);
  const fd = openSync(fifo, constants.O_RDWR);
  const log = openLogStream(fd);
  const count = 60_000;
  for (let line = 0; line < count; line++)
    log.write(`{"line":${line},"of":"${"x".repeat(100)}"}\n`);
  await log.flush();
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const chunk = Buffer.alloc(2 ** 16);
  let text = "";
  for (let emptyReads = 0; emptyReads < 50; ) {
    try {
      text += chunk.subarray(0, readSync(reader, chunk)).toString();
      emptyReads = 0;
    } catch {
      emptyReads++;
    }
    await Bun.sleep(1);
  }
  const lines = text.trim().split("\n");
  const lost = JSON.parse(lines.find((line) => line.includes("lostLines")) as string);
  const numbers = lines
    .map((line) => Number(/^\{"line":(\d+)/.exec(line)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number));
  expect(lost).toMatchObject({ level: 40, msg: "log lines were lost" });
  expect(lost.lostLines).toBeGreaterThan(0);
  expect(numbers.length).toBe(count - lost.lostLines);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  closeSync(reader);
  closeSync(fd);
});

test.each([
  ["a file at its size limit", (file: string) => openSync(file, "w"), ["prlimit", "--fsize=4096"]],
  ["a full disk", () => openSync("/dev/full", "w"), []],
])(
  "a process whose log is %s keeps answering, and exits on SIGTERM",
  async (_target, open, prefix) => {
    const home = mkdtempSync(join(dir, "home-"));
    const file = join(home, "log");
    const fd = open(file);
    const unix = join(home, "run/irontrack.sock");
    const [command = "", ...args] = [...prefix, ...program(), "serve"];
    const child = spawn(command, args, {
      stdio: ["ignore", fd, "ignore"],
      env: {
        PATH: process.env.PATH ?? "",
        ...databaseSettings(),
        HOST: "",
        LOG_LEVEL: "info",
        IRONTRACK_HOME: home,
      },
    });
    closeSync(fd);
    const ended = new Promise((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? code)),
    );
    const ask = (path: string) =>
      fetch(`http://localhost${path}`, { unix }).then(
        ({ status }) => status,
        () => 0,
      );
    while ((await ask("/health/ready")) !== 200) await Bun.sleep(20);
    // The log lines of these requests exceed the capacity of the log.
    for (let round = 0; round < 100; round++) expect(await ask("/api/v1/exercises")).toBe(401);
    await Bun.sleep(500);
    expect(await ask("/api/v1/exercises")).toBe(401);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    if (prefix.length > 0) expect(statSync(file).size).toBe(4096);
  },
);
