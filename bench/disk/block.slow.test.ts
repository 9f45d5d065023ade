import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRunning } from "#lib/processes/process-identity.ts";
import { openBlockDisk, whyNoBlockDisk } from "./block.ts";
import { isMountPoint, takeDown } from "./block-down.ts";
import { isAbandoned, listStates } from "./block-state.ts";
import { measureProfile } from "./check.ts";
import { probeReads } from "./probe.ts";

const problem = whyNoBlockDisk();
if (problem !== undefined) console.warn(`SKIPPED: hdd-block cannot be tested here: ${problem}`);
const testHere = test.skipIf(problem !== undefined);

testHere("a block disk stores what is written, and leaves nothing behind", async () => {
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
  expect([state?.nbdkit, state?.nbdfuse].map((process) => process && isRunning(process))).toEqual([
    false,
    false,
  ]);
});

testHere(
  "a random read takes a seek and half a rotation, and sequential reads do not",
  async () => {
    const disk = await openBlockDisk("test-reads");
    try {
      disk.emulateDelays(true);
      probeReads(disk.loop, 3, 1);
      const { reads, busyMs } = disk.counts();
      // The disk's busy time, because waiting depends on the machine: 8.5 ms of seek on average,
      // and half of 8.33.
      expect(busyMs / reads).toBeGreaterThan(11);
      expect(busyMs / reads).toBeLessThan(14.5);
      Bun.spawnSync(["dd", `if=${disk.loop}`, "of=/dev/null", "bs=1M", "count=64", "iflag=direct"]);
      expect((disk.counts().busyMs - busyMs) / 64).toBeLessThan(8);
    } finally {
      disk.close();
    }
  },
);

testHere("half of the clients share a flush, as on a busy disk", async () => {
  // With commit_delay all 32 would share. Up to three attempts, because other load delays clients.
  let shared = 0;
  for (let attempt = 0; attempt < 3 && !(shared > 10 && shared < 22); attempt++) {
    const { grouping } = await measureProfile("hdd-block", [32], 2);
    shared = grouping[0]?.commitsPerFlush ?? 0;
  }
  expect(shared).toBeGreaterThan(10);
  expect(shared).toBeLessThan(22);
});

testHere(
  "the disk of a killed process is detected as abandoned, and can be taken down",
  async () => {
    const script = `import { openBlockDisk } from "${join(import.meta.dir, "block.ts")}";
    const { mount } = await openBlockDisk("test-crash"); console.log(mount); await Bun.sleep(60_000);`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const mount = await new Promise<string>((resolve) =>
      child.stdout.once("data", (output) => resolve(`${output}`.trim())),
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(isMountPoint(mount)).toBe(true);
    const abandoned = listStates().filter(({ directory }) => directory === dirname(mount));
    expect(abandoned.map(isAbandoned)).toEqual([true]);
    for (const state of abandoned) takeDown(state);
    expect(isMountPoint(mount)).toBe(false);
    expect(listStates().some(({ directory }) => directory === dirname(mount))).toBe(false);
  },
);
