import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchAnswer } from "../testbed/applications.ts";
import {
  openPeerTestBed,
  PEER_PATHS,
  type PeerTestBed,
  type Runtime,
} from "../testbed/peer-testbed.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-peers-test-"));
let testBed: PeerTestBed;
beforeAll(async () => {
  testBed = await openPeerTestBed(dir);
});
afterAll(async () => {
  await testBed.close();
  rmSync(dir, { recursive: true, force: true });
});

const PEERS: [string, Runtime][] = [
  ["bare", "bun"],
  ["hono", "bun"],
  ["fastify", "node"],
  ["express", "node"],
];
test.each(PEERS.filter(([, runtime]) => runtime === "bun" || Bun.which("node")))(
  "%s on %s answers the three operations as we do, and refuses anonymous requests",
  async (name, runtime) => {
    // Starting it compares its answers with ours.
    const peer = await testBed.startPeer(name, runtime);
    try {
      for (const cookie of ["", "access_token=x", `${testBed.cookie.slice(0, -8)}AAAAAAAA`]) {
        expect((await fetchAnswer(peer.socketPath, PEER_PATHS.me, cookie)).status).toBe(401);
        expect((await fetchAnswer(peer.socketPath, PEER_PATHS.page, cookie)).status).toBe(401);
      }
    } finally {
      await peer.stop();
    }
  },
);
