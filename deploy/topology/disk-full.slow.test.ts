import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { compareJournal, failuresOf, signUpPeople, startLoad, summaryOf } from "#test/journal.ts";
import { describeTopology, openTopology, type TestTopology } from "#test/topology.ts";

const RATE = 60;
const FULL_MS = 15_000;
const RECOVERY_MS = 30_000;
const DISK = "600m";

/** A small tmpfs; undefined if it cannot be mounted. */
function mountDisk(): { dir: string; unmount(): void } | undefined {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-full-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", dir]);
  if (mounted.exitCode !== 0) {
    rmSync(dir, { recursive: true });
    return undefined;
  }
  return {
    dir,
    unmount: () => {
      Bun.spawnSync(["umount", "-l", dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

describeTopology("on a full disk", () => {
  let disk: ReturnType<typeof mountDisk>;
  const logDir = mkdtempSync(join(tmpdir(), "irontrack-full-log-"));
  let topology: TestTopology;
  let people: string[];
  beforeAll(async () => {
    disk = mountDisk();
    if (!disk) return;
    const workersLog = join(logDir, "workers.log");
    topology = await openTopology({
      dir: disk.dir,
      workersLog,
      postgresSettings: { min_wal_size: "32MB" },
    });
    people = await signUpPeople(topology.unix, 4);
  });
  afterAll(async () => {
    await topology?.close();
    disk?.unmount();
    rmSync(logDir, { recursive: true, force: true });
  });

  /**
   * Fills the free space, including space that is freed later, until the returned function releases
   * it.
   */
  function fill(): () => void {
    const ballast = join(topology.dir, "ballast");
    const take = () => {
      for (const bytes of [2 ** 22, 2 ** 12]) {
        const piece = Buffer.alloc(bytes);
        try {
          for (;;) appendFileSync(ballast, piece);
        } catch (error) {
          if ((error as { code?: string }).code !== "ENOSPC") throw error;
        }
      }
    };
    take();
    const timer = setInterval(take, 100);
    return () => {
      clearInterval(timer);
      rmSync(ballast);
    };
  }

  test.each([
    ["for data", async () => {}],
    [
      "for WAL, which stops PostgreSQL",
      async () => {
        const owner = openPool(topology.urls.owner, { size: 1, prepare: false });
        // The next write needs a new segment.
        await owner.sql`select pg_switch_wal()`.catch(() => {});
        await owner.close(0);
      },
    ],
  ])(
    "%s: writes get 503, no acknowledged write is lost, and the system recovers soon after space is freed",
    async (name, alsoDo) => {
      if (!disk) return console.warn("not tried: no tmpfs can be mounted here");
      const load = startLoad({ unix: topology.unix, people, rate: RATE, seed: 26 + name.length });
      await Bun.sleep(2000);
      const giveBack = fill();
      await alsoDo();
      await Bun.sleep(FULL_MS);
      giveBack();
      const roomAtMs = performance.now();
      await Bun.sleep(RECOVERY_MS + 5000);
      await load.stop();
      const failures = failuresOf(load);
      const lastMs = Math.max(...failures.map(({ startedAtMs }) => startedAtMs));
      console.log(
        `${name}: ${summaryOf(load)}; well ${Math.round(lastMs - roomAtMs)} ms after there was room`,
      );
      expect(failures.length).toBeGreaterThan(0);
      expect(new Set(failures.map(({ status }) => status))).toEqual(new Set([503]));
      expect(lastMs - roomAtMs).toBeLessThan(RECOVERY_MS);
      const owner = openPool(topology.urls.owner, { size: 1, prepare: false });
      expect(await compareJournal(load, owner)).toEqual({ lost: [], doubled: [] });
      await owner.close(0);
    },
  );
});
