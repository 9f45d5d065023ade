import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { waitUntilBlocked } from "#test/lock-waits.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { makeRelatedTraining } from "#test/related-training.ts";
import { DEFERRED_CONSTRAINTS } from "./changes.queries.ts";

// Deferred constraints are checked when a batch commits, so these tests need real commits.
let database: OwnDatabase;
let api: Api;
const logged: string[] = [];
beforeAll(async () => {
  database = await makeOwnDatabase();
  const { sql } = database.pool;
  await sql`insert into muscle_groups (name) values ('chest')`;
  // Two failures that no input can cause: a bug in one change, and a serialization failure.
  await sql.unsafe(`
    create function fail() returns trigger language plpgsql as $$
    begin
      if new.name = 'bug' then raise exception 'a bug'; end if;
      if new.name = 'retryable' then raise exception 'retryable' using errcode = '40001'; end if;
      return new;
    end $$;
    create trigger fail before insert on routines for each row execute function fail()`);
  api = await apiOn(database.pool, { logTo: { write: (line) => void logged.push(line) } });
});
afterAll(() => database.drop());

type Item = { kind: string; id: string; baseVersion: number | null; state: object | null };
type Result = { status: string; problem: { code: string } | null };

const sync = async (as: string, changes: Item[]): Promise<Result[]> => {
  const answer = await api.post("/api/v1/sync", { as, body: { changes } });
  expectStatus(answer, 200);
  return answer.json.results;
};
const item = (kind: string, state: object, id = Bun.randomUUIDv7()): Item => ({
  kind,
  id,
  baseVersion: null,
  state,
});
const name = () => `N ${Bun.randomUUIDv7().slice(-12)}`;
const routine = (more: object = {}) => item("routine", { name: name(), exercises: [], ...more });
const workout = (more: object = {}) =>
  item("workout", { timeZone: "UTC", startedAt: "2026-01-05T10:00:00Z", exercises: [], ...more });
const exercisesWith = (...sets: object[]) => [
  { exerciseName: "X", mode: "reps", id: Bun.randomUUIDv7(), sets },
];

const GOOD: Record<string, () => Item> = {
  exercise: () =>
    item("exercise", {
      name: name(),
      primaryMuscles: [1],
      category: "strength",
      difficultyLevel: "beginner",
    }),
  routine: () => routine(),
  plan: () => item("plan", { name: name(), routines: [] }),
  workout: () => workout({ exercises: exercisesWith({ id: Bun.randomUUIDv7(), reps: 5 }) }),
};
const BAD: Record<string, () => Item> = {
  "refers to an exercise that does not exist": () =>
    routine({ exercises: [{ exerciseId: Bun.randomUUIDv7(), mode: "reps", sets: 1 }] }),
  "refers to a muscle that does not exist": () =>
    item("exercise", {
      name: name(),
      primaryMuscles: [999],
      category: "strength",
      difficultyLevel: "beginner",
    }),
  "refers to a routine that does not exist": () =>
    item("plan", { name: name(), routines: [{ routineId: Bun.randomUUIDv7(), day: 1 }] }),
  "starts on a day that does not exist": () => workout({ startedAt: "2026-02-30T10:00:00Z" }),
  "starts at an offset that does not exist": () =>
    workout({ startedAt: "2026-01-05T10:00:00+23:59" }),
  "ends before it starts": () => workout({ endedAt: "2026-01-05T09:00:00Z" }),
  "has text that cannot be stored": () => routine({ description: "a\u0000b" }),
  "has an unpaired surrogate": () => workout({ notes: "a\ud800" }),
  "has a set twice": () => {
    const set = { id: Bun.randomUUIDv7(), reps: 1 };
    return workout({ exercises: exercisesWith(set, set) });
  },
  "hits a bug in the server": () => item("routine", { name: "bug", exercises: [] }),
  "has a state of no known shape": () => item("plan", { x: { y: [] } }),
  "is of an unknown kind": () => ({ ...routine(), kind: "recipe" }),
  "has an invalid id": () => ({ ...routine(), id: "1" }),
  "has an invalid version": () => ({ ...routine(), baseVersion: 0 }),
  "has a state that is not an object": () => ({ ...routine(), state: 5 as never }),
  "has an unknown field": () => ({ ...routine(), priority: 1 }),
  "has a number in place of a list": () => workout({ exercises: 1e300 }),
};

const change = fc.oneof(
  fc
    .constantFrom(...Object.keys(GOOD))
    .map((name) => ({ isGood: true, make: GOOD[name] as () => Item })),
  fc
    .constantFrom(...Object.keys(BAD))
    .map((name) => ({ isGood: false, make: BAD[name] as () => Item })),
);

test("exactly the valid changes of a batch are applied", async () => {
  const { as } = await makeSignedIn(api);
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (choices) => {
      const batch = choices.map(({ make }) => make());
      const results = await sync(as, batch);
      expect(results.map(({ status }) => status)).toEqual(
        choices.map(({ isGood }) => (isGood ? "applied" : "refused")),
      );
      for (const [index, { kind, id }] of batch.entries()) {
        if (kind === "recipe" || id === "1") continue;
        const stored = await api.get(`/api/v1/${kind}s/${id}`, { as });
        expectStatus(stored, choices[index]?.isGood ? 200 : 404);
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);

test.each(Object.keys(BAD))(
  "a change that %s is refused with a problem, each time that it is sent",
  async (fault) => {
    const { as } = await makeSignedIn(api);
    const [bad, good] = [(BAD[fault] as () => Item)(), routine()];
    const first = await sync(as, [bad, good]);
    expect(first[0]?.problem?.code).toMatch(/^[a-z_]+(\.[a-z_]+)?$/);
    expect(first[0]?.problem?.code === "internal").toBe(fault === "hits a bug in the server");
    const second = await sync(as, [bad, good]);
    expect(second.map(({ status }) => status)).toEqual(["refused", "unchanged"]);
    expect(second[0]?.problem).toEqual(first[0]?.problem as never);
  },
);

test("an unexpected error in one change is logged with the request, the kind and the id", async () => {
  const { as } = await makeSignedIn(api);
  const bug = (BAD["hits a bug in the server"] as () => Item)();
  await sync(as, [bug, routine()]);
  const line = logged.find((text) => text.includes(bug.id));
  expect(JSON.parse(line ?? "{}")).toMatchObject({
    msg: "a change of a batch failed",
    kind: "routine",
    id: bug.id,
  });
});

test("a batch that fails by a serialization failure is rolled back whole, and can be sent again", async () => {
  const { as } = await makeSignedIn(api);
  const first = routine();
  const answer = await api.post("/api/v1/sync", {
    as,
    body: { changes: [first, item("routine", { name: "retryable", exercises: [] }), routine()] },
  });
  expectProblem(answer, 503, "database_unavailable");
  expectStatus(await api.get(`/api/v1/routines/${first.id}`, { as }), 404);
  expect((await sync(as, [first])).map(({ status }) => status)).toEqual(["applied"]);
});

test("a plan whose routine is deleted meanwhile is refused, and the rest of its batch is applied", async () => {
  const { as } = await makeSignedIn(api);
  const [used, good] = [routine(), routine()];
  await sync(as, [used]);
  const plan = item("plan", { name: name(), routines: [{ routineId: used.id, day: 1 }] });
  let pending: Promise<Result[]> | undefined;
  await database.pool.transaction(async (tx) => {
    await tx.sql`delete from routines where id = ${used.id}`;
    pending = sync(as, [plan, good]);
    // If the batch comes too late to be blocked, it does not find the routine: the same result.
    await waitUntilBlocked(database.pool);
  });
  const results = (await pending) as Result[];
  expect(results.map(({ status, problem }) => [status, problem?.code])).toEqual([
    ["refused", "plans.routine_not_found"],
    ["applied", undefined],
  ]);
});

test("every deferred constraint is checked by each change of a batch", async () => {
  const rows = await database.pool.sql<{ name: string }[]>`
    select conname as name from pg_constraint where condeferred and contype <> 't' order by 1`;
  expect(rows.map((row) => row.name)).toEqual(DEFERRED_CONSTRAINTS.toSorted());
});

test("a change that is refused because it refers to a deleted entity is answered with the stored state", async () => {
  const { as, paths } = await makeRelatedTraining(api);
  const id = paths.routine?.split("/")[1];
  const exerciseId = paths.exercise?.split("/")[1];
  expectStatus(await api.delete(`${API}/${paths.exercise}`, { as }), 204);
  const stored = (await api.get(`${API}/${paths.routine}`, { as })).json;
  const state = { name: stored.name, exercises: [{ exerciseId, mode: "reps", sets: 4 }] };
  const changes = [
    { kind: "routine", id, baseVersion: stored.version, state },
    {
      kind: "routine",
      id: Bun.randomUUIDv7(),
      baseVersion: null,
      state: { ...state, name: "Another" },
    },
    { kind: "routine", id, baseVersion: stored.version, state: { name: stored.name } },
  ];
  const answer = await api.post(`${API}/sync`, { as, body: { changes } });
  const [refused, added, incomplete] = answer.json.results;
  const problem = { code: "routines.exercise_not_found" };
  expect(refused).toMatchObject({ status: "refused", version: stored.version, problem });
  expect(refused.current).toEqual(stored);
  expect(added).toMatchObject({ status: "refused", version: null, current: null, problem });
  expect(incomplete).toMatchObject({ status: "refused", problem: { code: "invalid_request" } });
  expect(incomplete.current).toEqual(stored);
});
