import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openBlockDisk, whyNoBlockDisk } from "./block.ts";
import { isMountPoint, takeDown } from "./block-down.ts";
import { isAbandoned, isRunning, listStates } from "./block-state.ts";
import { measureProfile } from "./check.ts";
import { probeReads } from "./probe.ts";

const why = whyNoBlockDisk();
if (why !== undefined) console.warn(`SKIPPED, nothing of hdd-block is tested here: ${why}`);

test.skipIf(why !== undefined)("a block disk comes up, keeps what is written, and leaves nothing behind", async () => {
  const disk = await openBlockDisk("test-round-trip");
  const [state] = listStates().filter(({ directory }) => directory === dirname(disk.mount));
  try {
    writeFileSync(join(disk.mount, "kept"), "what was written");
    expect(readFileSync(join(disk.mount, "kept"), "utf8")).toBe("what was written");
    expect(isMountPoint(disk.mount)).toBe(true);
    await expect(openBlockDisk("test-round-trip")).rejects.toThrow("is up");
  } finally {
    disk.close();
  }
  expect(isMountPoint(disk.mount)).toBe(false);
  expect(existsSync(dirname(disk.mount))).toBe(false);
  expect([state?.nbdkit, state?.nbdfuse].map((known) => known && isRunning(known))).toEqual([false, false]);
});

test.skipIf(why !== undefined)(
  "it reads as slowly as its parameters say, and shares flushes as a disk does",
  async () => {
    const disk = await openBlockDisk("test-reads");
    try {
      disk.turn(true);
      // 8.5 ms of seek and half a rotation of 8.33 ms: 79 a second.
      const { perSecond } = probeReads(disk.loop, 3, 1);
      expect(perSecond).toBeGreaterThan(55);
      expect(perSecond).toBeLessThan(95);
    } finally {
      disk.close();
    }
    const { grouping } = await measureProfile("hdd-block", [32], 2);
    expect(grouping[0]?.commitsPerFlush).toBeGreaterThan(13);
    expect(grouping[0]?.commitsPerFlush).toBeLessThan(18);
  },
);

test.skipIf(why !== undefined)(
  "a disk that a killed process left is known as abandoned, and can be taken down",
  async () => {
    const script = `import { openBlockDisk } from "${join(import.meta.dir, "block.ts")}";
    const { mount } = await openBlockDisk("test-crash"); console.log(mount); await Bun.sleep(60_000);`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const mount = await new Promise<string>((resolve) =>
      child.stdout.once("data", (said) => resolve(`${said}`.trim())),
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(isMountPoint(mount)).toBe(true);
    const left = listStates().filter(({ directory }) => directory === dirname(mount));
    expect(left.map(isAbandoned)).toEqual([true]);
    for (const state of left) takeDown(state);
    expect(isMountPoint(mount)).toBe(false);
    expect(listStates().some(({ directory }) => directory === dirname(mount))).toBe(false);
  },
);
