import { expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { patientAdmission } from "#test/edit-rounds.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectStatus } from "#test/harness.ts";
import { waitUntilBlocked } from "#test/lock-waits.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { canPrepare } from "#test/transaction.ts";

const ROUNDS = 6;

/** Concurrently changes and reads entities that refer to one another, and returns the answers. */
async function runRound(api: Api, as: string, muscle: number): Promise<Answer[]> {
  const name = Bun.randomUUIDv7();
  const make = async (path: string, body: object) => {
    const answer = await api.post(`${API}/${path}`, { as, body });
    expectStatus(answer, 201);
    return answer;
  };
  const fields = {
    name,
    difficultyLevel: "beginner",
    category: "strength",
    primaryMuscles: [muscle],
  };
  const exercise = await make("exercises/user", fields);
  const exercises = [{ exerciseId: exercise.json.id, mode: "reps", sets: 1 }];
  const routine = await make("routines", { name, exercises });
  const plan = await make("plans", { name, routines: [] });
  const workout = await make("workouts", { timeZone: "UTC" });
  const created = [exercise, routine, plan, workout];
  const [exercisePath, routinePath, planPath, workoutPath] = [
    "exercises",
    "routines",
    "plans",
    "workouts",
  ].map((table, n) => `${API}/${table}/${created[n]?.json.id}`) as [string, string, string, string];
  const entry = { exerciseId: exercise.json.id, exerciseName: name, mode: "reps" };
  const read = () =>
    [exercisePath, routinePath, planPath, workoutPath].map((path) => api.get(path, { as }));
  const routines = [{ routineId: routine.json.id, day: 1 }];
  const answers = await Promise.all([
    api.patch(planPath, { as, body: { routines } }),
    api.patch(routinePath, { as, body: { name: `${name} 2` } }),
    api.post(`${workoutPath}/exercises`, { as, body: entry }),
    ...read(),
    api.post(`${planPath}/clone`, { as, body: { name: `${name} copy` } }),
    api.patch(routinePath, { as, body: { exercises } }),
    api.delete(exercisePath, { as }),
    api.patch(`${API}/catalogs/muscle-groups/${muscle}`, { as, body: { name } }),
    ...read(),
    api.patch(`${API}/exercises/user/${exercise.json.id}`, { as, body: { instructions: "Lift" } }),
    api.post(`${workoutPath}/exercises`, { as, body: entry }),
    api.patch(planPath, { as, body: { routines: [...routines, ...routines] } }),
    api.patch(routinePath, { as, body: { name: `${name} 3` } }),
  ]);
  return [...created, ...answers, ...(await Promise.all(read()))];
}

test("a version of an entity has one representation, even if it and what it refers to are changed concurrently", async () => {
  const database = await makeOwnDatabase();
  const pool = openPool(database.url, {
    size: 8,
    prepare: canPrepare(),
    admission: patientAdmission,
  });
  try {
    const api = await apiOn(pool);
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const muscle = (
      await api.post(`${API}/catalogs/muscle-groups`, { as, body: { name: "muscle" } })
    ).json.id;
    const texts = new Map<string, string>();
    for (let n = 0; n < ROUNDS; n++) {
      for (const { status, text, json } of await runRound(api, as, muscle)) {
        expect([200, 201, 204, 404], text).toContain(status);
        if (json?.version === undefined) continue;
        const version = `${json.id} ${json.version}`;
        expect(text).toBe(texts.get(version) ?? text);
        texts.set(version, text);
      }
    }
    const versions = await pool.sql<{ id: string; version: number }[]>`
      select id, version from plans
      union all select id, version from routines
      union all select id, version from workouts`;
    const recorded = await pool.sql<{ id: string; version: number }[]>`
      select entity_id as id, version from changes
      where gone_at is null and kind <> 'exercise'`;
    const sorted = (rows: { id: string; version: number }[]) =>
      rows.map(({ id, version }) => `${id} ${version}`).sort();
    expect(sorted(recorded)).toEqual(sorted(versions));
  } finally {
    await pool.close();
    await database.drop();
  }
}, 60_000);

test("if a routine is renamed while it is added to a plan, the plan shows the new name, or gets a new version with it", async () => {
  const database = await makeOwnDatabase();
  try {
    const api = await apiOn(database.pool);
    const { as } = await makeSignedIn(api);
    const make = async (path: string, body: object) => {
      const answer = await api.post(`${API}/${path}`, { as, body });
      expectStatus(answer, 201);
      return answer.json;
    };
    const routine = await make("routines", { name: "Old", exercises: [] });
    const plan = await make("plans", { name: "Plan", routines: [] });
    const full = await make("plans", {
      name: "Full",
      routines: [{ routineId: routine.id, day: 1 }],
    });
    const routines = [{ routineId: routine.id, day: 1 }];
    const requests = [
      () => api.patch(`${API}/plans/${plan.id}`, { as, body: { routines } }),
      () => api.post(`${API}/plans`, { as, body: { name: "New", routines } }),
      () => api.post(`${API}/plans/${full.id}/clone`, { as, body: { name: "Copy" } }),
    ];
    for (const [n, send] of requests.entries()) {
      let answer: Promise<Answer> | undefined;
      await database.pool.transaction(async (tx) => {
        await tx.sql`
          update routines set name = ${`Name ${n}`}, version = version + 1
          where id = ${routine.id}`;
        answer = send();
        await waitUntilBlocked(database.pool, { answer });
      });
      const returned = (await answer)?.json;
      const stored = (await api.get(`${API}/plans/${returned.id}`, { as })).json;
      expect(stored.routines[0].routineName).toBe(`Name ${n}`);
      if (returned.version === stored.version) expect(returned).toEqual(stored);
    }
  } finally {
    await database.drop();
  }
}, 30_000);
