import { expect, test } from "bun:test";
import { createCatalogMemory, type Made } from "./catalog-memory.ts";

const made = (value: string, key: string, ownerId: string | null = null, bytes = 10): Made<string> => ({
  value,
  remember: [{ key, value, bytes, ownerId }],
});

test("what was made is remembered until a notice says otherwise", async () => {
  const memory = createCatalogMemory(() => true, 1000);
  await memory.load("a", null, async () => made("catalog", "a"));
  await memory.load("b", "ada", async () => made("of ada", "b", "ada"));
  await memory.load("c", "bob", async () => made("of bob", "c", "bob"));
  memory.forget({ loginId: "x" });
  memory.forget({ exercisesOf: "ada" });
  expect([memory.recall("a"), memory.recall("b"), memory.recall("c")]).toEqual(["catalog", undefined, "of bob"]);
  memory.forget({ catalog: true });
  expect([memory.recall("a"), memory.recall("c"), memory.bytes]).toEqual([undefined, undefined, 0]);
});

test("an answer that a notice overtook is given to who asked before, to nobody after, and not kept", async () => {
  const memory = createCatalogMemory(() => true, 1000);
  const slow = Promise.withResolvers<void>();
  const before = memory.load("a", null, async () => {
    await slow.promise;
    return made("old", "a");
  });
  memory.forget({ catalog: true });
  const after = memory.load("a", null, async () => made("new", "a"));
  expect(await after).toBe("new");
  slow.resolve();
  expect(await before).toBe("old");
  expect(memory.recall<string>("a")).toBe("new");
});

test("who asks the same meanwhile waits for one answer; a failure is nobody's memory", async () => {
  const memory = createCatalogMemory(() => true, 1000);
  let count = 0;
  const ask = () =>
    memory.load("a", null, async () => {
      count++;
      await Bun.sleep(1);
      if (count === 1) throw new Error("no");
      return made("yes", "a");
    });
  const failed = await Promise.allSettled([ask(), ask()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect([await ask(), count]).toEqual(["yes", 2]);
});

test("while notices may be missing nothing is recalled, joined or kept", async () => {
  let isTrusted = true;
  const memory = createCatalogMemory(() => isTrusted, 1000);
  await memory.load("a", null, async () => made("old", "a"));
  isTrusted = false;
  expect(memory.recall("a")).toBeUndefined();
  expect(await memory.load("b", null, async () => made("fresh", "b"))).toBe("fresh");
  isTrusted = true;
  expect(memory.recall("b")).toBeUndefined();
});

test("the longest unused go when there is no room, and what is too large is not kept", async () => {
  const memory = createCatalogMemory(() => true, 30);
  const keep = (key: string, bytes: number) => memory.load(key, null, async () => made(key, key, null, bytes));
  for (const key of ["a", "b", "c"]) await keep(key, 10);
  memory.recall("a");
  await keep("d", 10);
  await keep("e", 31);
  expect(["a", "b", "c", "d", "e"].filter((key) => memory.recall(key))).toEqual(["a", "c", "d"]);
  expect(memory.bytes).toBe(30);
});
