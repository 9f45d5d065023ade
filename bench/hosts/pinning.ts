import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { OperatorError } from "#lib/errors.ts";
import { type HostFile, readHost } from "./hosts.ts";

/** Who must not disturb whom. The proxy has a place although few test beds have one. */
export type Role = "server" | "postgres" | "proxy" | "load";
export type PinMap = Record<Role, number[]>;

let chosen: PinMap | undefined;

/** The cores of each role on this machine: those that `usePins` chose, else by its topology. */
export function pinMap(): PinMap {
  chosen ??= pinsFor(listModules());
  return chosen;
}

/**
 * Takes the map of a host's file for all processes started from now on. Throws when this machine
 * lacks its cores.
 */
export function usePins(hostId: string): void {
  const { id, pins }: HostFile = readHost(hostId);
  if (pins === null) throw new OperatorError(`${id} says nothing of pins`, 2);
  const here = listModules().flat();
  const missing = Object.values(pins)
    .flat()
    .filter((core) => !here.includes(core));
  if (missing.length > 0) {
    throw new OperatorError(
      `the pins of ${id} are for another machine: there is no core ${missing.join(", ")} here`,
      2,
    );
  }
  chosen = pins;
}

/**
 * What to put before a command so that it runs on the cores of a role; empty where that cannot be
 * had.
 */
export function pinned(role: Role): string[] {
  return canPin() ? ["taskset", "-c", pinMap()[role].join(",")] : [];
}

/** Moves processes that run already, all their threads, to the cores of a role. */
export function pin(pids: number[], role: Role): void {
  if (!canPin()) return;
  for (const pid of pids)
    spawnSync("taskset", ["-a", "-c", "-p", pinMap()[role].join(","), String(pid)]);
}

/** As one reads it: "server on core 0; PostgreSQL, proxy and load on core 1". */
export function describePins({ server, postgres, proxy, load }: PinMap = pinMap()): string {
  const byCores = Map.groupBy(
    [
      ["server", server],
      ["PostgreSQL", postgres],
      ["proxy", proxy],
      ["load", load],
    ] as const,
    ([, cores]) => cores.join(", "),
  );
  return [...byCores]
    .map(([cores, roles]) => {
      const names = roles.map(([name]) => name);
      const listed =
        names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
      return `${listed} on core${cores.includes(",") ? "s" : ""} ${cores}`;
    })
    .join("; ");
}

/**
 * Each role on a module of its own where there are four (cores of a module share a cache and more),
 * else on a core; the load goes last, so that it shares last, and the server first, so that what is
 * measured never shares while there are two.
 */
export function pinsFor(modules: number[][]): PinMap {
  const places = modules.length >= 4 ? modules : modules.flat().map((core) => [core]);
  const [first = [0], second = first, third, fourth] = places;
  const last = places.at(-1) ?? first;
  if (third === undefined) return { server: first, postgres: second, proxy: second, load: second };
  return {
    server: first,
    postgres: second,
    proxy: fourth === undefined ? second : third,
    load: last,
  };
}

const canPin = () => process.platform === "linux" && Bun.which("taskset") !== null;

/**
 * The cores we may use, those together that share a second-level cache: a module of an FX, a core
 * of two threads.
 */
function listModules(): number[][] {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText("/proc/self/status"))?.[1] ?? "0";
  const byCache = Map.groupBy(coresIn(allowed), (core) => {
    const shared = readText(
      `/sys/devices/system/cpu/cpu${core}/cache/index2/shared_cpu_list`,
    ).trim();
    return shared === "" ? String(core) : shared;
  });
  return [...byCache.values()];
}

/** The cores of a list as the kernel writes it: "0-3,6" (cpuset(7)). */
export function coresIn(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
