import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pinMap } from "../hosts/pinning.ts";
import { compile } from "./compile.ts";
import { withFile } from "./probe.ts";
import { openSpindle } from "./spindle.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "irontrack-spindle-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

test("waiting for a CPU after a flush does not count as waiting for the disk", () => {
  const spindle = openSpindle(directory, { rotationMs: 0.2, seekMs: 0 });
  const core = pinMap().server[0];
  const burner = Bun.spawn(["taskset", "-c", String(core), "sh", "-c", "while :; do :; done"]);
  const path = join(directory, "flushed");
  // Low priority: the burner delays the end of each flush.
  const command = [
    "-c",
    String(core),
    "nice",
    "-n",
    "19",
    compile("probe.c", "program"),
    "flush",
    path,
    "1",
  ];
  try {
    const { stdout } = withFile(path, 1, () =>
      spawnSync("taskset", command, { env: { ...process.env, ...spindle.environment } }),
    );
    const [, ...lastedNs] = new BigUint64Array(new Uint8Array(stdout).buffer);
    const { flushes, waitedMs } = spindle.counts();
    expect(flushes).toBe(lastedNs.length);
    expect(flushes).toBeGreaterThan(0);
    const lastedMs = lastedNs.reduce((sum, ns) => sum + Number(ns), 0) / 1e6;
    expect(waitedMs).toBeLessThan(lastedMs / 2);
  } finally {
    burner.kill("SIGKILL");
  }
});
