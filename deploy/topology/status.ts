import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import type { Home } from "#lib/home.ts";
import type { Topology } from "./topology.ts";
import { childrenOf, isReady } from "./workers.ts";

/**
 * The file that a running topology writes: for `topology status`, and for the next topology to end
 * the processes that a killed one left.
 */
type TopologyFile = {
  pieces: Record<string, number>;
  workerSockets: string[];
  urls: Topology["urls"];
  at: string;
};

export type PieceStatus = {
  piece: string;
  pid: number | null;
  where: string;
  state: "good" | "wrong";
};

const fileOf = (home: Home) => join(home.dir, "topology.json");

/**
 * Writes the running processes to the file, readable by its owner only, because it contains the
 * database password. `at` is the URL of the proxy.
 */
export function writeTopology(
  home: Home,
  { pooler, workers, proxy, urls }: Topology,
  at: string,
): void {
  const pieces = {
    ...(pooler && { pooler: pooler.current().pid }),
    workers: workers.current().pid,
    ...(proxy && { proxy: proxy.current().pid }),
  };
  const written: TopologyFile = { pieces, workerSockets: workers.current().sockets, urls, at };
  // Written by a rename, so that a reader never sees part of it, even if this process is killed.
  const unfinished = `${fileOf(home)}.unfinished`;
  writeFileSync(unfinished, JSON.stringify(written), { mode: 0o600 });
  renameSync(unfinished, fileOf(home));
}

export const forgetTopology = (home: Home): void => rmSync(fileOf(home), { force: true });

/** Checks each component that runs in this home; empty if none does. */
export async function topologyStatus(home: Home): Promise<PieceStatus[]> {
  const written = readTopologyFile(home);
  if (!written) return [];
  const { pieces, urls, workerSockets, at } = written;
  const state = (isGood: boolean) => (isGood ? "good" : "wrong");
  const canQuery = async (url: string) => {
    const { sql, close } = openPool(url, { size: 1, prepare: false });
    return await sql`select 1`
      .then(
        () => true,
        () => false,
      )
      .finally(() => close(1));
  };
  const hostOf = (url: string) => new URL(url).searchParams.get("host") ?? "";
  const rows = [
    {
      piece: "postgresql",
      pid: null,
      where: hostOf(urls.direct),
      state: state(await canQuery(urls.direct)),
    },
    ...(await Promise.all(
      urls.replicas.map(async (url, index) => ({
        ...{ piece: `replica ${index + 1}`, pid: null, where: hostOf(url) },
        state: state(await canQuery(url)),
      })),
    )),
    ...(pieces.pooler === undefined
      ? []
      : [
          {
            piece: "pgbouncer",
            pid: pieces.pooler,
            where: hostOf(urls.pooled),
            state: state(await canQuery(urls.pooled)),
          },
        ]),
    ...(await Promise.all(
      workerSockets.map(async (socket, index) => ({
        ...{ piece: `worker ${index + 1}`, pid: null, where: socket },
        state: state(await isReady(socket)),
      })),
    )),
  ];
  if (pieces.proxy !== undefined) {
    const isUp = await fetch(`${at}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    rows.push({ piece: "proxy", pid: pieces.proxy, where: at, state: state(isUp) });
  }
  return rows as PieceStatus[];
}

/**
 * Kills the processes that a killed topology left in this home, because they hold its sockets and
 * port. The caller must hold the lock of the home.
 */
export async function stopLeftovers(home: Home): Promise<void> {
  const written = readTopologyFile(home);
  const left = Object.values(written?.pieces ?? {}).filter((pid) => isOf(home, pid));
  for (const pid of left) {
    // Workers drain by themselves when their supervisor is gone; the children of a killed proxy stay.
    for (const each of [...childrenOf(pid), pid]) kill(each);
  }
  for (
    const deadline = performance.now() + 5000;
    left.some((pid) => isOf(home, pid)) && performance.now() < deadline;
  )
    await Bun.sleep(20);
  forgetTopology(home);
}

/** Whether the process was started with a path of this home; its id may have been reused. */
function isOf(home: Home, pid: number): boolean {
  try {
    const [command, environment] = ["cmdline", "environ"].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, "utf8"),
    );
    return [home.dir, home.runDir].some(
      (dir) => command?.includes(dir) || environment?.includes(`IRONTRACK_HOME=${dir}`),
    );
  } catch {
    return false;
  }
}

function kill(pid: number) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has exited in the meantime.
  }
}

/** The file; undefined if it is absent or damaged. */
function readTopologyFile(home: Home): TopologyFile | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(home), "utf8"));
  } catch {
    return undefined;
  }
}
