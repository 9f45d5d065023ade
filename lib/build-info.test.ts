import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };
import { buildInfo, buildVersion } from "./build-info.ts";

test("the version of a build contains the commit and whether files differ from it", () => {
  expect(buildVersion({ version: "1.2.3", commit: "0123456789abcdef", isDirty: false })).toBe(
    "1.2.3+0123456789ab",
  );
  expect(buildVersion({ version: "1.2.3", commit: "0123456789abcdef", isDirty: true })).toBe(
    "1.2.3+0123456789ab.dirty",
  );
  expect(buildVersion({ version: "1.2.3", commit: null, isDirty: false })).toBe("1.2.3");
});

test("in a checkout, irontrack --version prints the current commit and the version of Bun", () => {
  const head = spawnSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dir, encoding: "utf8" });
  if (head.status === 0) expect(buildInfo().commit).toBe(head.stdout.trim());
  expect(buildInfo().version).toBe(version);
  for (const flag of ["--version", "-v"]) {
    const { stdout } = spawnSync(
      process.execPath,
      [join(import.meta.dir, "../cli/main.ts"), flag],
      { encoding: "utf8" },
    );
    expect(stdout).toBe(`irontrack ${buildVersion()} (Bun ${Bun.version})\n`);
  }
});
