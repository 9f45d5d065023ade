import { expect, test } from "bun:test";
import { coresIn, describePins, pinMap, pinned, pinsFor } from "./pinning.ts";

test("of two cores the server has one, and all other roles the other", () => {
  const pins = pinsFor([[0], [1]]);
  expect(pins).toEqual({ server: [0], postgres: [1], proxy: [1], load: [1] });
  expect(describePins(pins)).toBe("server on core 0; PostgreSQL, proxy and load on core 1");
});

test("four modules of two cores are assigned as in the reference machine's file", () => {
  const modules = [
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
  ];
  expect(pinsFor(modules)).toEqual({
    server: [0, 1],
    postgres: [2, 3],
    proxy: [4, 5],
    load: [6, 7],
  });
});

test("of three cores the load has its own, and a single core has all roles", () => {
  expect(pinsFor([[0, 1, 2]])).toEqual({ server: [0], postgres: [1], proxy: [1], load: [2] });
  expect(pinsFor([[5]])).toEqual({ server: [5], postgres: [5], proxy: [5], load: [5] });
});

test("a list of cores is parsed in the kernel's format", () => {
  expect(coresIn("0-2,5,7-8")).toEqual([0, 1, 2, 5, 7, 8]);
});

test("a process is pinned to existing cores", () => {
  const cores = pinMap().server;
  const command = [...pinned("server"), "sh", "-c", "grep Cpus_allowed_list /proc/self/status"];
  const found = Bun.spawnSync(command).stdout.toString().trim().split(/\s+/).at(-1) ?? "";
  if (pinned("server").length > 0) expect(coresIn(found)).toEqual(cores);
});
