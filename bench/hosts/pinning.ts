import { spawnSync } from "node:child_process";
import { OperatorError } from "#lib/errors.ts";
import { type HostFile, readHost } from "./hosts.ts";
import { readText } from "./system-files.ts";

/** The groups of processes that should not disturb each other. Few test beds have a proxy. */
export type Role = "server" | "postgres" | "proxy" | "load";
export type PinMap = Record<Role, number[]>;

let activePins: PinMap | undefined;

/** The cores of each role: those set by `usePins`, else by the machine's topology. */
export function pinMap(): PinMap {
  activePins ??= pinsFor(listModules());
  return activePins;
}

/**
 * Uses the pins of a host's file for all processes started from now on. Throws OperatorError if
 * this machine lacks its cores.
 */
export function usePins(hostId: string): void {
  const { id, pins }: HostFile = readHost(hostId);
  if (pins === null) throw new OperatorError(`${id} has no pins`, 2);
  const availableCores = listModules().flat();
  const missing = Object.values(pins)
    .flat()
    .filter((core) => !availableCores.includes(core));
  if (missing.length > 0) {
    throw new OperatorError(
      `the pins of ${id} are for another machine: there is no core ${missing.join(", ")} here`,
      2,
    );
  }
  activePins = pins;
}

/** The command prefix that runs a program on the cores of a role; empty if that is not possible. */
export function pinned(role: Role): string[] {
  return canPin() ? ["taskset", "-c", pinMap()[role].join(",")] : [];
}

/** Moves running processes, with all threads, to the cores of a role. */
export function pin(pids: number[], role: Role): void {
  if (!canPin()) return;
  for (const pid of pids)
    spawnSync("taskset", ["-a", "-c", "-p", pinMap()[role].join(","), String(pid)]);
}

/** Text such as "server on core 0; PostgreSQL, proxy and load on core 1". */
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
 * Gives each role a module (cores that share a cache) if there are four, else a core. The load is
 * the last to share and the server the first to have its own, so that with two cores the server
 * shares with nothing.
 */
export function pinsFor(modules: number[][]): PinMap {
  const groups = modules.length >= 4 ? modules : modules.flat().map((core) => [core]);
  const [first = [0], second = first, third, fourth] = groups;
  const last = groups.at(-1) ?? first;
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
 * The cores that we may use, grouped by second-level cache: a module of an FX, or a core of two
 * threads.
 */
function listModules(): number[][] {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText("/proc/self/status"))?.[1] ?? "0";
  const byCache = Map.groupBy(coresIn(allowed), (core) => {
    const shared = readText(`/sys/devices/system/cpu/cpu${core}/cache/index2/shared_cpu_list`);
    return shared === "" ? String(core) : shared;
  });
  return [...byCache.values()];
}

/** Parses a list of cores such as "0-3,6" (cpuset(7)). */
export function coresIn(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
