import { expect, test } from "bun:test";
import { refusal } from "#db/errors.ts";
import { type Computed, createCatalogCache } from "./catalog-cache.ts";

const computed = (value: string, audience: string | null = null, bytes = 10): Computed<string> => ({
  value,
  audience,
  bytes,
});

test("an answer is cached until an invalidation drops it", async () => {
  const memory = createCatalogCache(() => true, 1000);
  await memory.load("a", null, async () => computed("catalog"));
  await memory.load("b", "ada", async () => computed("of ada", "ada"));
  await memory.load("c", "bob", async () => computed("of bob", "bob"));
  const recalled = () => [memory.get("a", null), memory.get("b", "ada"), memory.get("c", "bob")];
  memory.invalidate({ loginId: "x" });
  memory.invalidate({ exercisesOf: "ada" });
  expect(recalled()).toEqual(["catalog", undefined, "of bob"]);
  memory.invalidate({ catalog: true });
  expect([...recalled(), memory.bytes]).toEqual([undefined, undefined, undefined, 0]);
});

test("callers of different audiences share neither a cached answer nor a computation", async () => {
  const memory = createCatalogCache(() => true, 1000);
  const answers = await Promise.all([
    memory.load("a", "ada", async () => computed("of ada", "ada")),
    memory.load("a", "bob", async () => computed("of bob", "bob")),
    memory.load("a", null, async () => computed("catalog")),
  ]);
  expect(answers).toEqual(["of ada", "of bob", "catalog"]);
  expect([memory.get("a", "ada"), memory.get("a", "bob"), memory.get("a", null)]).toEqual(answers);
});

test("a result for another audience than the caller's is neither returned nor cached", async () => {
  const memory = createCatalogCache(() => true, 1000);
  const ask = () => memory.load("a", null, async () => computed("of ada", "ada"));
  const answers = await Promise.allSettled([ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const also = [{ question: "b", audience: "bob", value: "of bob", bytes: 10 }];
  await expect(
    memory.load("a", "ada", async () => ({ ...computed("of ada", "ada"), also })),
  ).rejects.toThrow("audience");
  expect([memory.get("a", null), memory.get("a", "ada"), memory.get("b", "bob")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("an answer that a notice overtook is given to who asked before, to nobody after, and not kept", async () => {
  const memory = createCatalogCache(() => true, 1000);
  const slow = Promise.withResolvers<void>();
  const before = memory.load("a", null, async () => {
    await slow.promise;
    return computed("old");
  });
  memory.invalidate({ catalog: true });
  const after = memory.load("a", null, async () => computed("new"));
  expect(await after).toBe("new");
  slow.resolve();
  expect(await before).toBe("old");
  expect(memory.get<string>("a", null)).toBe("new");
});

test("who asks the same meanwhile waits for one answer; a failure is nobody's memory", async () => {
  const memory = createCatalogCache(() => true, 1000);
  let count = 0;
  const ask = () =>
    memory.load("a", null, async () => {
      count++;
      await Bun.sleep(1);
      if (count === 1) throw new Error("no");
      return computed("yes");
    });
  const failed = await Promise.allSettled([ask(), ask()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect([await ask(), count]).toEqual(["yes", 2]);
});

test("joiners of a refused request compute the answer once more, together", async () => {
  const memory = createCatalogCache(() => true, 1000);
  let count = 0;
  const ask = (refusals: number) =>
    memory.load("a", null, async () => {
      count++;
      await Bun.sleep(1);
      if (count <= refusals) throw refusal("OVERLOADED");
      return computed("yes");
    });
  const statuses = async (refusals: number) => {
    count = 0;
    const answers = await Promise.allSettled([ask(refusals), ask(refusals), ask(refusals)]);
    return answers.map(({ status }) => status);
  };
  expect([await statuses(1), count]).toEqual([["rejected", "fulfilled", "fulfilled"], 2]);
  memory.invalidate("everything");
  expect([await statuses(2), count]).toEqual([["rejected", "rejected", "rejected"], 2]);
});

test("while notices may be missing nothing is recalled, joined or kept", async () => {
  let isFresh = true;
  const memory = createCatalogCache(() => isFresh, 1000);
  await memory.load("a", null, async () => computed("old"));
  isFresh = false;
  expect(memory.get("a", null)).toBeUndefined();
  expect(await memory.load("b", null, async () => computed("fresh"))).toBe("fresh");
  isFresh = true;
  expect(memory.get("b", null)).toBeUndefined();
});

test("the longest unused go when there is no room, and what is too large is not kept", async () => {
  const memory = createCatalogCache(() => true, 30);
  const keep = (key: string, bytes: number) =>
    memory.load(key, null, async () => computed(key, null, bytes));
  for (const key of ["a", "b", "c"]) await keep(key, 10);
  memory.get("a", null);
  await keep("d", 10);
  await keep("e", 31);
  expect(["a", "b", "c", "d", "e"].filter((key) => memory.get(key, null))).toEqual(["a", "c", "d"]);
  expect(memory.bytes).toBe(30);
});
