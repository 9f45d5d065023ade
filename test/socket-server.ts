import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "#src/app/app.ts";
import { listenAt } from "#src/app/server.ts";
import type { Api } from "./harness.ts";

/** Runs `work` while the application of `api` listens on a Unix socket. */
export async function withSocketServer(
  api: Api,
  work: (socketPath: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-socket-"));
  const unix = join(dir, "a.sock");
  const server = listenAt(unix, createApp(api.deps), { unix });
  try {
    await work(unix);
  } finally {
    await server.stop(true);
    rmSync(dir, { recursive: true, force: true });
  }
}
