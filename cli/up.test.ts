import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { eventually } from "#test/eventually.ts";
import { databaseSettings } from "#test/transaction.ts";

const home = mkdtempSync(join(tmpdir(), "irontrack-up-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const RED = "\u001b[31m";

test("on a terminal the greeting of up is not red, and a request is one line", async () => {
  let shown = "";
  const show = (bytes: Uint8Array) => {
    shown += new TextDecoder().decode(bytes);
  };
  const up = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), "up"], {
    env: {
      ...process.env,
      ...databaseSettings(),
      HOST: "",
      IRONTRACK_HOME: home,
      LOG_LEVEL: "info",
      TERM: "xterm",
    },
    terminal: { cols: 200, rows: 50, data: (_, bytes) => show(bytes) },
  });
  try {
    await eventually(() => shown.includes("Ctrl-C here stops everything"));
    expect(shown).toContain("IronTrack is up.");
    expect(shown).not.toContain(RED);
    const unix = join(home, "run/irontrack.sock");
    const before = shown.length;
    for (const path of ["/api/v1/exercises", "/nowhere"])
      await fetch(`http://localhost${path}`, { unix, keepalive: false });
    await eventually(() => shown.includes("404"));
    up.kill("SIGTERM");
    expect(await up.exited).toBe(0);
    const said = stripVTControlCharacters(shown.slice(before));
    const lines = said
      .split(/[\r\n]+/)
      .filter((line) => /\S/.test(line) && !line.includes("stopping"));
    expect(lines).toEqual([expect.stringContaining("401"), expect.stringContaining("404")]);
  } finally {
    up.kill("SIGKILL");
  }
});
