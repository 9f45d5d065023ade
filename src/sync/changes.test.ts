import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare, statementsOf } from "#test/transaction.ts";

// Changes are written when a transaction commits, so these tests commit: in a database of their
// own.
let database: OwnDatabase;
let many: Pool;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  await database.pool.sql`insert into muscle_groups (name) values ('chest')`;
  many = openPool(database.url, { size: 30, prepare: canPrepare() });
  api = await apiOn(many);
});
afterAll(async () => {
  await many.close();
  await database.drop();
});

type Item = { kind: string; id: string; state: { version: number; name: string | null } | null };

/** Pages from `cursor` to the end. */
async function readOn(
  as: string,
  cursor?: string,
  pageSize = 50,
  from = api,
): Promise<{ items: Item[]; cursor: string }> {
  const items: Item[] = [];
  for (let at = cursor; ; ) {
    const after = at === undefined ? "" : `&cursor=${at}`;
    const answer = await from.get(`/api/v1/changes?pageSize=${pageSize}${after}`, { as });
    expectStatus(answer, 200);
    items.push(...answer.json.items);
    at = answer.json.nextCursor as string;
    if (!answer.json.hasMore) return { items, cursor: at };
  }
}

const start = async (as: string, name: string) => {
  const made = await api.post("/api/v1/workouts", { as, body: { timeZone: "UTC", name } });
  expectStatus(made, 201);
  return made.json.id as string;
};

test("the feed tells every thing once at its latest change, then only what is new, with what is gone", async () => {
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
  const workout = await start(as, "W");
  await api.patch(`/api/v1/routines/${routine}`, { as, body: { name: "R2" } });
  const first = await readOn(as, undefined, 2);
  expect(first.items.map(({ kind, id }) => [kind, id])).toEqual([
    ["exercise", exercise],
    ["workout", workout],
    ["routine", routine],
    ["plan", plan],
  ]);
  const read = await Promise.all(
    [`exercises/${exercise}`, `workouts/${workout}`, `routines/${routine}`, `plans/${plan}`].map(
      async (path) => (await api.get(`/api/v1/${path}`, { as })).json,
    ),
  );
  expect(first.items.map(({ state }) => state)).toEqual(read);
  expect((await readOn(as, first.cursor)).items).toEqual([]);

  await api.delete(`/api/v1/plans/${plan}`, { as });
  await api.delete(`/api/v1/workouts/${workout}`, { as });
  const second = await readOn(as, first.cursor);
  expect(second.items).toEqual([
    { kind: "plan", id: plan, state: null },
    { kind: "workout", id: workout, state: null },
  ]);
  expectStatus(await api.post(`/api/v1/workouts/${workout}/restore`, { as, body: {} }), 200);
  await api.delete(`/api/v1/exercises/${exercise}`, { as });
  const third = await readOn(as, second.cursor);
  expect(third.items.map(({ kind, state }) => [kind, state?.name ?? null])).toEqual([
    ["workout", "W"],
    ["exercise", null],
  ]);
});

test("logging a set is a change of its workout, and what a grantee writes is a change for the owner", async () => {
  const { as } = await makeSignedIn(api);
  const friend = await makeSignedIn(api);
  const workout = await start(as, "W");
  const routine = (await api.post("/api/v1/routines", { as, body: { name: "R", exercises: [] } }))
    .json.id;
  const body = { routineId: routine, email: friend.user.email, access: "write" };
  expectStatus(await api.post("/api/v1/grants", { as, body }), 201);
  const { cursor } = await readOn(as);
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
  const { items } = await readOn(as, cursor);
  expect(items.map(({ kind, state }) => [kind, state?.version, state?.name])).toEqual([
    ["workout", 3, "W"],
    ["routine", 3, "Theirs"],
  ]);
  expect((await readOn(friend.as)).items).toEqual([]);
});

test("the feed is one's own, and refuses a cursor that it did not give", async () => {
  const { as, user } = await makeSignedIn(api);
  await start(as, "W");
  expect((await readOn((await makeSignedIn(api)).as)).items).toEqual([]);
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

test("a hundred writers that commit in any order, and a reader: nothing is missed and nothing told twice", async () => {
  const { as, user } = await makeSignedIn(api);
  const pause = (mostMs: number) => Bun.sleep(Math.random() * mostMs);
  let isWriting = true;
  const seen: Item[] = [];
  // On connections of its own, so that it reads all the while.
  const elsewhere = await apiOn(database.pool);
  const reader = (async () => {
    let cursor: string | undefined;
    for (let isLast = false; ; isLast = !isWriting) {
      const page = await readOn(as, cursor, 7, elsewhere);
      seen.push(...page.items);
      cursor = page.cursor;
      if (isLast) return;
    }
  })();
  const written = new Map<string, number>();
  const write = async () => {
    const workout = await start(as, "W");
    let version = 1;
    for (let n = 0; n < 5; n++) {
      await pause(10);
      // Transactions that stay open after their writes, so that they commit in another order than
      // they wrote.
      await many
        .transaction(async (tx) => {
          // Places are given out when a transaction commits; here as early as can be, so that
          // others could overtake it.
          if (n % 2 === 0) await tx.sql`set constraints all immediate`;
          await tx.sql`update workouts set version = version + 1 where id = ${workout} and user_id = ${user.id}`;
          await pause(20);
          if (n === 3) throw new Error("given up");
          version++;
        })
        .catch(() => {});
    }
    written.set(workout, version);
  };
  await Promise.all(Array.from({ length: 100 }, write));
  isWriting = false;
  await reader;
  const told = seen.map(({ id, state }) => `${id} ${state?.version}`);
  expect(new Set(told).size).toBe(told.length);
  const last = new Map(seen.map(({ id, state }) => [id, state?.version]));
  expect(last).toEqual(written);
}, 60_000);

test(
  "a page of the feed is read in one statement",
  withApi(async (onTransaction) => {
    const { as } = await makeSignedIn(onTransaction);
    // The database of a test is a copy, so the first read begins a generation.
    await onTransaction.get("/api/v1/changes", { as });
    expect(await statementsOf(() => onTransaction.get("/api/v1/changes", { as }))).toHaveLength(1);
  }),
);
