import { expect, test } from "bun:test";
import { refusal } from "#db/errors.ts";
import { type Computed, createCatalogCache } from "./catalog-cache.ts";

const computed = (value: string, audience: string | null = null, bytes = 10): Computed<string> => ({
  value,
  audience,
  bytes,
});

test("an answer is cached until an invalidation drops it", async () => {
  const cache = createCatalogCache(() => true, 1000);
  await cache.load("a", null, async () => computed("catalog"));
  await cache.load("b", "ada", async () => computed("of ada", "ada"));
  await cache.load("c", "bob", async () => computed("of bob", "bob"));
  const cached = () => [cache.get("a", null), cache.get("b", "ada"), cache.get("c", "bob")];
  cache.invalidate({ loginId: "x" });
  cache.invalidate({ exercisesOf: "ada" });
  expect(cached()).toEqual(["catalog", undefined, "of bob"]);
  cache.invalidate({ catalog: true });
  expect([...cached(), cache.bytes]).toEqual([undefined, undefined, undefined, 0]);
});

test("callers of different audiences share neither a cached answer nor a computation", async () => {
  const cache = createCatalogCache(() => true, 1000);
  const answers = await Promise.all([
    cache.load("a", "ada", async () => computed("of ada", "ada")),
    cache.load("a", "bob", async () => computed("of bob", "bob")),
    cache.load("a", null, async () => computed("catalog")),
  ]);
  expect(answers).toEqual(["of ada", "of bob", "catalog"]);
  expect([cache.get("a", "ada"), cache.get("a", "bob"), cache.get("a", null)]).toEqual(answers);
});

test("a result for another audience than the caller's is neither returned nor cached", async () => {
  const cache = createCatalogCache(() => true, 1000);
  const ask = () => cache.load("a", null, async () => computed("of ada", "ada"));
  const answers = await Promise.allSettled([ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const also = [{ key: "b", audience: "bob", value: "of bob", bytes: 10 }];
  await expect(
    cache.load("a", "ada", async () => ({ ...computed("of ada", "ada"), also })),
  ).rejects.toThrow("audience");
  expect([cache.get("a", null), cache.get("a", "ada"), cache.get("b", "bob")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("an answer computed during an invalidation goes only to earlier callers, and is not cached", async () => {
  const cache = createCatalogCache(() => true, 1000);
  const slow = Promise.withResolvers<void>();
  const before = cache.load("a", null, async () => {
    await slow.promise;
    return computed("old");
  });
  cache.invalidate({ catalog: true });
  const after = cache.load("a", null, async () => computed("new"));
  expect(await after).toBe("new");
  slow.resolve();
  expect(await before).toBe("old");
  expect(cache.get<string>("a", null)).toBe("new");
});

test("concurrent callers share one computation; a failure is not cached", async () => {
  const cache = createCatalogCache(() => true, 1000);
  let count = 0;
  const ask = () =>
    cache.load("a", null, async () => {
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
  const cache = createCatalogCache(() => true, 1000);
  let count = 0;
  const ask = (refusals: number) =>
    cache.load("a", null, async () => {
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
  cache.invalidate("everything");
  expect([await statuses(2), count]).toEqual([["rejected", "rejected", "rejected"], 2]);
});

test("while invalidations may be missed, nothing is read from the cache, joined or cached", async () => {
  let isFresh = true;
  const cache = createCatalogCache(() => isFresh, 1000);
  await cache.load("a", null, async () => computed("old"));
  isFresh = false;
  expect(cache.get("a", null)).toBeUndefined();
  expect(await cache.load("b", null, async () => computed("fresh"))).toBe("fresh");
  isFresh = true;
  expect(cache.get("b", null)).toBeUndefined();
});

test("the least recently used entries are evicted beyond the limit; an entry larger than it is not cached", async () => {
  const cache = createCatalogCache(() => true, 30);
  const add = (key: string, bytes: number) =>
    cache.load(key, null, async () => computed(key, null, bytes));
  for (const key of ["a", "b", "c"]) await add(key, 10);
  cache.get("a", null);
  await add("d", 10);
  await add("e", 31);
  expect(["a", "b", "c", "d", "e"].filter((key) => cache.get(key, null))).toEqual(["a", "c", "d"]);
  expect(cache.bytes).toBe(30);
});
