import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, expectStatus, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";

/**
 * What may happen elsewhere: each to a thing that workouts were made from, or to somebody whose
 * thing it was.
 */
const DEEDS = [
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
async function makeWorld(api: Api) {
  const me = await makeSignedIn(api);
  const trainer = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
  const admin = await makeSignedIn(api, { roleSlug: "superuser" });
  // A muscle of their own: one that other tests know would be locked for as long as this one takes.
  const muscle = `zq muscle ${crypto.randomUUID()}`;
  const [made] = await api.deps.db.sql<
    { id: number }[]
  >`insert into muscle_groups (name) values (${muscle}) returning id`;
  const mine = await makeExercise(api, { owner: me.user, name: "Zq Mine", primary: [muscle] });
  const system = await makeExercise(api, { name: "Zq System", primary: [muscle] });
  const foreign = await makeExercise(api, { owner: trainer.user, name: "Zq Foreign" });
  const post = async (as: string, path: string, body: object) => {
    const made = await api.post(`/api/v1/${path}`, { as, body });
    expectStatus(made, 201);
    return made.json;
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
    muscleId: made?.id,
    mine,
    system,
    routine,
    plan,
    shared,
    grant,
    workouts,
  };
}
type World = Awaited<ReturnType<typeof makeWorld>>;

let renamings = 0;

/** Some deeds find that what they are about is gone already: that changes nothing either. */
function happen(api: Api, world: World, deed: (typeof DEEDS)[number]): Promise<Answer> {
  const { me, trainer, admin, muscleId, mine, system, routine, plan, shared, grant } = world;
  const [mineAs, theirs, power] = [{ as: me.as }, { as: trainer.as }, { as: admin.as }];
  const name = `Renamed ${++renamings}`;
  const other = { exerciseName: "Other", mode: "time", sets: 1 };
  switch (deed) {
    case "rename my exercise":
      return api.patch(`${API}/exercises/user/${mine}`, { ...mineAs, body: { name } });
    case "delete my exercise":
      return api.delete(`${API}/exercises/${mine}`, mineAs);
    case "rename the catalog's exercise":
      return api.patch(`${API}/exercises/system/${system}`, { ...power, body: { name } });
    case "delete the catalog's exercise":
      return api.delete(`${API}/exercises/${system}`, power);
    case "rename the muscle":
      return api.patch(`${API}/catalogs/muscle-groups/${muscleId}`, { ...power, body: { name } });
    case "change my routine":
      return api.patch(`${API}/routines/${routine.id}`, {
        ...mineAs,
        body: { name, exercises: [other] },
      });
    case "empty my routine":
      return api.patch(`${API}/routines/${routine.id}`, { ...mineAs, body: { exercises: [] } });
    case "delete my routine":
      return api.delete(`${API}/routines/${routine.id}`, mineAs);
    case "rename my plan":
      return api.patch(`${API}/plans/${plan.id}`, { ...mineAs, body: { name } });
    case "empty my plan":
      return api.patch(`${API}/plans/${plan.id}`, { ...mineAs, body: { routines: [] } });
    case "delete my plan":
      return api.delete(`${API}/plans/${plan.id}`, mineAs);
    case "change the trainer's routine":
      return api.patch(`${API}/routines/${shared.id}`, {
        ...theirs,
        body: { name, exercises: [other] },
      });
    case "end the grant":
      return api.delete(`${API}/grants/${grant.id}`, theirs);
    case "make the trainer's routine private":
      return api.patch(`${API}/routines/${shared.id}`, { ...theirs, body: { sharing: "private" } });
    case "deactivate the trainer":
      return api.patch(`${API}/users/${trainer.user.id}`, { ...power, body: { isActive: false } });
    case "delete the trainer":
      return api.delete(`${API}/users/${trainer.user.id}`, power);
    case "start another workout":
      return api.post(`${API}/workouts`, {
        ...mineAs,
        body: { timeZone: "UTC", routineId: routine.id },
      });
    default:
      return deleteOthers(api, world);
  }
}

async function deleteOthers(api: Api, { me, workouts }: World): Promise<Answer> {
  const list = await api.get("/api/v1/workouts", { as: me.as });
  for (const { id } of list.json.items) {
    if (!workouts.includes(id)) await api.delete(`/api/v1/workouts/${id}`, { as: me.as });
  }
  return list;
}

/**
 * Of everything that a workout says, but for the ids of what it was made from, which go when their
 * things go, and the version.
 */
async function checksum(api: Api, { me, workouts }: World): Promise<string> {
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

test("history is as it was performed, whatever is changed and deleted elsewhere and in whichever order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...DEEDS), { minLength: 5, maxLength: 25 }),
      (deeds) =>
        withApi(async (api) => {
          const world = await makeWorld(api);
          const before = await checksum(api, world);
          for (const deed of deeds) {
            const answer = await happen(api, world, deed);
            expect(answer.status).toBeLessThan(500);
            expect(await checksum(api, world)).toBe(before);
          }
        })(),
    ),
    { numRuns: 15 },
  );
}, 60_000);
