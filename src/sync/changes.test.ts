import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare, statementsOf } from "#test/transaction.ts";

// Changes are recorded at commit, so these tests commit, in a database of their own.
let database: OwnDatabase;
let largePool: Pool;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  await database.pool.sql`insert into muscle_groups (name) values ('chest')`;
  largePool = openPool(database.url, { size: 30, prepare: canPrepare() });
  api = await apiOn(largePool);
});
afterAll(async () => {
  await largePool.close();
  await database.drop();
});

type Item = { kind: string; id: string; state: { version: number; name: string | null } | null };

/** Reads all pages from `cursor` to the end. */
async function readFeed(
  as: string,
  cursor?: string,
  pageSize = 50,
  client = api,
): Promise<{ items: Item[]; cursor: string }> {
  const items: Item[] = [];
  for (let next = cursor; ; ) {
    const after = next === undefined ? "" : `&cursor=${next}`;
    const answer = await client.get(`/api/v1/changes?pageSize=${pageSize}${after}`, { as });
    expectStatus(answer, 200);
    items.push(...answer.json.items);
    next = answer.json.nextCursor as string;
    if (!answer.json.hasMore) return { items, cursor: next };
  }
}

const startWorkout = async (as: string, name: string) => {
  const answer = await api.post("/api/v1/workouts", { as, body: { timeZone: "UTC", name } });
  expectStatus(answer, 201);
  return answer.json.id as string;
};

test("the feed lists each entity once at its latest change, then only new changes, including deletions", async () => {
  const { as, user } = await makeSignedIn(api);
  const exercise = await makeExercise(api, { owner: user, name: "Zq Own" });
  const routine = (await api.post("/api/v1/routines", { as, body: { name: "R", exercises: [] } }))
    .json.id;
  const plan = (
    await api.post("/api/v1/plans", {
      as,
      body: { name: "P", routines: [{ routineId: routine, day: 1 }] },
    })
  ).json.id;
  const workout = await startWorkout(as, "W");
  await api.patch(`/api/v1/routines/${routine}`, { as, body: { name: "R2" } });
  const first = await readFeed(as, undefined, 2);
  expect(first.items.map(({ kind, id }) => [kind, id])).toEqual([
    ["exercise", exercise],
    ["workout", workout],
    ["routine", routine],
    ["plan", plan],
  ]);
  const entities = await Promise.all(
    [`exercises/${exercise}`, `workouts/${workout}`, `routines/${routine}`, `plans/${plan}`].map(
      async (path) => (await api.get(`/api/v1/${path}`, { as })).json,
    ),
  );
  expect(first.items.map(({ state }) => state)).toEqual(entities);
  expect((await readFeed(as, first.cursor)).items).toEqual([]);

  await api.delete(`/api/v1/plans/${plan}`, { as });
  await api.delete(`/api/v1/workouts/${workout}`, { as });
  const second = await readFeed(as, first.cursor);
  expect(second.items).toEqual([
    { kind: "plan", id: plan, state: null },
    { kind: "workout", id: workout, state: null },
  ]);
  expectStatus(await api.post(`/api/v1/workouts/${workout}/restore`, { as, body: {} }), 200);
  await api.delete(`/api/v1/exercises/${exercise}`, { as });
  const third = await readFeed(as, second.cursor);
  expect(third.items.map(({ kind, state }) => [kind, state?.name ?? null])).toEqual([
    ["workout", "W"],
    ["exercise", null],
  ]);
});

test("logging a set is a change of its workout, and a grantee's edit is a change for the owner", async () => {
  const { as } = await makeSignedIn(api);
  const friend = await makeSignedIn(api);
  const workout = await startWorkout(as, "W");
  const routine = (await api.post("/api/v1/routines", { as, body: { name: "R", exercises: [] } }))
    .json.id;
  const body = { routineId: routine, email: friend.user.email, access: "write" };
  expectStatus(await api.post("/api/v1/grants", { as, body }), 201);
  const { cursor } = await readFeed(as);
  const added = await api.post(`/api/v1/workouts/${workout}/exercises`, {
    as,
    body: { exerciseName: "X", mode: "reps" },
  });
  const sets = `/api/v1/workouts/${workout}/exercises/${added.json.exercises[0].id}/sets`;
  expectStatus(await api.post(sets, { as, body: { reps: 5 } }), 201);
  expectStatus(
    await api.patch(`/api/v1/routines/${routine}`, { as: friend.as, body: { name: "Theirs" } }),
    200,
  );
  const { items } = await readFeed(as, cursor);
  expect(items.map(({ kind, state }) => [kind, state?.version, state?.name])).toEqual([
    ["workout", 3, "W"],
    ["routine", 3, "Theirs"],
  ]);
  expect((await readFeed(friend.as)).items).toEqual([]);
});

test("the feed contains only the user's own changes, and a malformed cursor is refused", async () => {
  const { as, user } = await makeSignedIn(api);
  await startWorkout(as, "W");
  expect((await readFeed((await makeSignedIn(api)).as)).items).toEqual([]);
  for (const cursor of ["x", Buffer.from("changes 99999999999999999999").toString("base64url")]) {
    expectProblem(
      await api.get(`/api/v1/changes?cursor=${cursor}`, { as }),
      422,
      "invalid_request",
    );
  }
  await database.pool.sql`delete from users where id = ${user.id}`;
  expect(await database.pool.sql`select from changes where user_id = ${user.id}`).toHaveLength(0);
});

test("with a hundred writers that commit in any order, a reader misses no change and sees none twice", async () => {
  const { as, user } = await makeSignedIn(api);
  const pause = (maxMs: number) => Bun.sleep(Math.random() * maxMs);
  let isWriting = true;
  const seen: Item[] = [];
  // It has connections of its own, so that writers do not block it.
  const readerApi = await apiOn(database.pool);
  const reader = (async () => {
    let cursor: string | undefined;
    for (let isLast = false; ; isLast = !isWriting) {
      const page = await readFeed(as, cursor, 7, readerApi);
      seen.push(...page.items);
      cursor = page.cursor;
      if (isLast) return;
    }
  })();
  const written = new Map<string, number>();
  const write = async () => {
    const workout = await startWorkout(as, "W");
    let version = 1;
    for (let n = 0; n < 5; n++) {
      await pause(10);
      // Transactions stay open after their writes, so that they commit in another order.
      await largePool
        .transaction(async (tx) => {
          // Positions are assigned at commit. Here they are assigned as early as possible, so that
          // other transactions could overtake this one.
          if (n % 2 === 0) await tx.sql`set constraints all immediate`;
          await tx.sql`
            update workouts set version = version + 1
            where id = ${workout} and user_id = ${user.id}`;
          await pause(20);
          if (n === 3) throw new Error("rolled back");
          version++;
        })
        .catch(() => {});
    }
    written.set(workout, version);
  };
  await Promise.all(Array.from({ length: 100 }, write));
  isWriting = false;
  await reader;
  const seenVersions = seen.map(({ id, state }) => `${id} ${state?.version}`);
  expect(new Set(seenVersions).size).toBe(seenVersions.length);
  const latest = new Map(seen.map(({ id, state }) => [id, state?.version]));
  expect(latest).toEqual(written);
}, 60_000);

test(
  "a page of the feed is read in one statement",
  withApi(async (testApi) => {
    const { as } = await makeSignedIn(testApi);
    // The database of a test is a copy, so the first read begins a generation.
    await testApi.get("/api/v1/changes", { as });
    expect(await statementsOf(() => testApi.get("/api/v1/changes", { as }))).toHaveLength(1);
  }),
);
