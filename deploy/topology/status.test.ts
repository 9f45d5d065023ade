import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHome } from "#lib/home.ts";
import { stopLeftovers, topologyStatus } from "./status.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-status-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each(["", '{"pieces":{"workers":1', "null"])(
  "if topology.json is damaged (%p), nothing counts as running, and the next topology starts",
  async (text) => {
    const home = openHome(dir);
    const file = join(dir, "topology.json");
    writeFileSync(file, text);
    expect(await topologyStatus(home)).toEqual([]);
    await stopLeftovers(home);
    expect(existsSync(file)).toBe(false);
  },
);
