import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, makeCheckout, waitUntilUp } from "./launcher.ts";

test("after a file changes, `bun run dev` answers with the new code", async () => {
  const { dir, remove } = makeCheckout({ withModules: true });
  const home = join(dir, ".irontrack");
  // As the script `dev` of package.json does.
  const dev = launch(dir, ["up"], { IRONTRACK_WATCH: "1", IRONTRACK_HOME: home, HOST: "" });
  try {
    await waitUntilUp(dev);
    const ping = async () => {
      const unix = join(home, "run/irontrack.sock");
      const response = await fetch("http://localhost/ping", { unix }).catch(() => undefined);
      return response?.text();
    };
    const before = await ping();
    expect(before).toBe("OK");
    const file = join(dir, "src/health/health.routes.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace('plain("OK")', 'plain("Reloaded")'));
    while (!(await ping())?.includes("Reloaded")) await Bun.sleep(20);
  } finally {
    dev.child.kill("SIGTERM");
    await dev.ended;
    remove();
  }
}, 120_000);
