import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import type { Home } from "#lib/home.ts";
import type { Topology } from "./topology.ts";
import { childrenOf, isReady } from "./workers.ts";

/**
 * What a topology wrote about itself: for `topology status`, and for the next one to find what a
 * killed one left.
 */
type Written = {
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
 * Writes down what runs; for its owner's eyes, since it holds the password of the pooler's list.
 * `at` is where it answers.
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
  const written: Written = { pieces, workerSockets: workers.current().sockets, urls, at };
  // Written by a rename, so that a reader never sees part of it, even if this process is killed.
  const unfinished = `${fileOf(home)}.unfinished`;
  writeFileSync(unfinished, JSON.stringify(written), { mode: 0o600 });
  renameSync(unfinished, fileOf(home));
}

export const forgetTopology = (home: Home): void => rmSync(fileOf(home), { force: true });

/** What runs in this home, asked piece by piece; empty when nothing does. */
export async function topologyStatus(home: Home): Promise<PieceStatus[]> {
  const written = readWritten(home);
  if (!written) return [];
  const { pieces, urls, workerSockets, at } = written;
  const state = (isGood: boolean) => (isGood ? "good" : "wrong");
  const answers = async (url: string) => {
    const { sql, close } = openPool(url, { size: 1, prepare: false });
    return await sql`select 1`
      .then(
        () => true,
        () => false,
      )
      .finally(() => close(1));
  };
  const shown = (url: string) => new URL(url).searchParams.get("host") ?? "";
  const rows = [
    {
      piece: "postgresql",
      pid: null,
      where: shown(urls.direct),
      state: state(await answers(urls.direct)),
    },
    ...(await Promise.all(
      urls.replicas.map(async (url, index) => ({
        ...{ piece: `replica ${index + 1}`, pid: null, where: shown(url) },
        state: state(await answers(url)),
      })),
    )),
    ...(pieces.pooler === undefined
      ? []
      : [
          {
            piece: "pgbouncer",
            pid: pieces.pooler,
            where: shown(urls.pooled),
            state: state(await answers(urls.pooled)),
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
 * Ends what a killed topology left in this home: it would hold the sockets and the port. For the
 * holder of its lock.
 */
export async function stopLeftPieces(home: Home): Promise<void> {
  const written = readWritten(home);
  const left = Object.values(written?.pieces ?? {}).filter((pid) => isOf(home, pid));
  for (const pid of left) {
    // Workers drain by themselves: their supervisor's channel is gone. Of the proxy, a killed
    // parent leaves children.
    for (const each of [...childrenOf(pid), pid]) kill(each);
  }
  for (
    const deadline = performance.now() + 5000;
    left.some((pid) => isOf(home, pid)) && performance.now() < deadline;
  )
    await Bun.sleep(20);
  forgetTopology(home);
}

/** Whether a process of that number still is one that was started with a path of this home. */
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
    // It ended in the meantime.
  }
}

/** Undefined if it is not there, or damaged: nothing can be told from it then. */
function readWritten(home: Home): Written | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(home), "utf8"));
  } catch {
    return undefined;
  }
}
