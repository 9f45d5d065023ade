import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, expectStatus, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";

/** Changes to the sources of the workouts or to their owners. */
const CHANGES = [
  "rename my exercise",
  "delete my exercise",
  "rename the catalog's exercise",
  "delete the catalog's exercise",
  "rename the muscle",
  "change my routine",
  "empty my routine",
  "delete my routine",
  "rename my plan",
  "empty my plan",
  "delete my plan",
  "change the trainer's routine",
  "end the grant",
  "make the trainer's routine private",
  "deactivate the trainer",
  "delete the trainer",
  "start another workout",
  "delete the other workouts",
] as const;

/**
 * An athlete with a workout from a routine of their own plan, one from a trainer's shared routine,
 * and a free one.
 */
async function makeFixtures(api: Api) {
  const me = await makeSignedIn(api);
  const trainer = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
  const admin = await makeSignedIn(api, { roleSlug: "superuser" });
  // A new muscle group: one that other tests use would stay locked as long as this test runs.
  const muscle = `zq muscle ${crypto.randomUUID()}`;
  const [muscleGroup] = await api.deps.db.sql<{ id: number }[]>`
    insert into muscle_groups (name) values (${muscle}) returning id`;
  const mine = await makeExercise(api, { owner: me.user, name: "Zq Mine", primary: [muscle] });
  const system = await makeExercise(api, { name: "Zq System", primary: [muscle] });
  const foreign = await makeExercise(api, { owner: trainer.user, name: "Zq Foreign" });
  const post = async (as: string, path: string, body: object) => {
    const answer = await api.post(`/api/v1/${path}`, { as, body });
    expectStatus(answer, 201);
    return answer.json;
  };
  const target = { mode: "reps", sets: 3, repsMin: 5, repsMax: 8, weight: 100, weightUnit: "lb" };
  const routine = await post(me.as, "routines", {
    name: "Push",
    exercises: [mine, system].map((exerciseId) => ({ ...target, exerciseId })),
  });
  const plan = await post(me.as, "plans", {
    name: "Block",
    routines: [{ routineId: routine.id, day: 1 }],
  });
  const shared = await post(trainer.as, "routines", {
    name: "Theirs",
    exercises: [{ ...target, exerciseId: foreign }],
  });
  const grant = await post(trainer.as, "grants", {
    routineId: shared.id,
    email: me.user.email,
    access: "read",
  });
  const starts = [
    { routineId: routine.id, planId: plan.id },
    { routineId: shared.id },
    { exercises: [mine, system].map((exerciseId) => ({ exerciseId, mode: "reps" })) },
  ];
  const workouts: string[] = [];
  for (const start of starts) {
    const { id, exercises } = await post(me.as, "workouts", {
      timeZone: "Europe/Berlin",
      ...start,
    });
    for (const entry of exercises as { id: string }[]) {
      const set = { reps: 5, weight: 101.25, weightUnit: "lb", rpe: 8.5, note: "Felt fine" };
      await post(me.as, `workouts/${id}/exercises/${entry.id}/sets`, set);
    }
    expectStatus(await api.post(`/api/v1/workouts/${id}/finish`, { as: me.as, body: {} }), 200);
    workouts.push(id);
  }
  return {
    me,
    trainer,
    admin,
    muscleId: muscleGroup?.id,
    mine,
    system,
    routine,
    plan,
    shared,
    grant,
    workouts,
  };
}
type Fixtures = Awaited<ReturnType<typeof makeFixtures>>;

let renameCount = 0;

/** Makes a change. If its object is already deleted, the request fails and changes nothing. */
function makeChange(
  api: Api,
  fixtures: Fixtures,
  change: (typeof CHANGES)[number],
): Promise<Answer> {
  const { me, trainer, admin, muscleId, mine, system, routine, plan, shared, grant } = fixtures;
  const [asMe, asTrainer, asAdmin] = [{ as: me.as }, { as: trainer.as }, { as: admin.as }];
  const name = `Renamed ${++renameCount}`;
  const other = { exerciseName: "Other", mode: "time", sets: 1 };
  switch (change) {
    case "rename my exercise":
      return api.patch(`${API}/exercises/user/${mine}`, { ...asMe, body: { name } });
    case "delete my exercise":
      return api.delete(`${API}/exercises/${mine}`, asMe);
    case "rename the catalog's exercise":
      return api.patch(`${API}/exercises/system/${system}`, { ...asAdmin, body: { name } });
    case "delete the catalog's exercise":
      return api.delete(`${API}/exercises/${system}`, asAdmin);
    case "rename the muscle":
      return api.patch(`${API}/catalogs/muscle-groups/${muscleId}`, { ...asAdmin, body: { name } });
    case "change my routine":
      return api.patch(`${API}/routines/${routine.id}`, {
        ...asMe,
        body: { name, exercises: [other] },
      });
    case "empty my routine":
      return api.patch(`${API}/routines/${routine.id}`, { ...asMe, body: { exercises: [] } });
    case "delete my routine":
      return api.delete(`${API}/routines/${routine.id}`, asMe);
    case "rename my plan":
      return api.patch(`${API}/plans/${plan.id}`, { ...asMe, body: { name } });
    case "empty my plan":
      return api.patch(`${API}/plans/${plan.id}`, { ...asMe, body: { routines: [] } });
    case "delete my plan":
      return api.delete(`${API}/plans/${plan.id}`, asMe);
    case "change the trainer's routine":
      return api.patch(`${API}/routines/${shared.id}`, {
        ...asTrainer,
        body: { name, exercises: [other] },
      });
    case "end the grant":
      return api.delete(`${API}/grants/${grant.id}`, asTrainer);
    case "make the trainer's routine private":
      return api.patch(`${API}/routines/${shared.id}`, {
        ...asTrainer,
        body: { sharing: "private" },
      });
    case "deactivate the trainer":
      return api.patch(`${API}/users/${trainer.user.id}`, {
        ...asAdmin,
        body: { isActive: false },
      });
    case "delete the trainer":
      return api.delete(`${API}/users/${trainer.user.id}`, asAdmin);
    case "start another workout":
      return api.post(`${API}/workouts`, {
        ...asMe,
        body: { timeZone: "UTC", routineId: routine.id },
      });
    default:
      return deleteOthers(api, fixtures);
  }
}

async function deleteOthers(api: Api, { me, workouts }: Fixtures): Promise<Answer> {
  const list = await api.get("/api/v1/workouts", { as: me.as });
  for (const { id } of list.json.items) {
    if (!workouts.includes(id)) await api.delete(`/api/v1/workouts/${id}`, { as: me.as });
  }
  return list;
}

/**
 * A hash of the workouts as they are read, without their versions and the ids of what they were
 * made from, which deletions clear.
 */
async function checksum(api: Api, { me, workouts }: Fixtures): Promise<string> {
  const hash = createHash("sha256");
  for (const id of workouts) {
    const answer = await api.get(`/api/v1/workouts/${id}`, { as: me.as });
    expectStatus(answer, 200);
    hash.update(
      answer.text.replaceAll(/"(exerciseId|planId|routineId|version)":("[^"]*"|\d+|null),/g, ""),
    );
  }
  return hash.digest("hex");
}

test("workouts stay as they were performed, whatever else is changed or deleted in any order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...CHANGES), { minLength: 5, maxLength: 25 }),
      (changes) =>
        withApi(async (api) => {
          const fixtures = await makeFixtures(api);
          const before = await checksum(api, fixtures);
          for (const change of changes) {
            const answer = await makeChange(api, fixtures, change);
            expect(answer.status).toBeLessThan(500);
            expect(await checksum(api, fixtures)).toBe(before);
          }
        })(),
    ),
    { numRuns: 15 },
  );
}, 60_000);
