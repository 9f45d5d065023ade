import { expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import {
  ACTORS,
  type ActorName,
  MATRIX,
  MAY_SEE_OTHERS,
  type Subject,
} from "#test/access-matrix.ts";
import { ABSENT, makeExercise, makeUser, PASSWORD, signedIn } from "#test/fixtures.ts";
import { type Api, withApi } from "#test/harness.ts";
import { listOperations } from "../app/app.ts";
import { packArchive } from "../archive/archive-format.rules.ts";
import type { Operation } from "../operations/operation.ts";

/** In what the owner wrote and no asker types: the name and the instructions. */
const CANARY = "canary-of-the-owner";
const EMPTY = { exercises: "", routines: "", plans: "", workouts: "" };
const TRAINING =
  "Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps\n2026-01-01 10:00:00,A,Press,1,50,kg,5\n";

test(
  "the reviewed table has a row for every operation, and no row for another",
  withApi(async (api) => {
    const inTable = new Set(MATRIX.map(([operation]) => operation));
    const inApi = new Set(listOperations(api.deps).map(({ spec }) => spec.id));
    expect([...inApi].filter((id) => !inTable.has(id))).toEqual([]);
    expect([...inTable].filter((id) => !inApi.has(id))).toEqual([]);
  }),
);

test.each(MATRIX)(
  "%s on %s is answered as the table says: %s",
  async (operationId, subject, statuses) => {
    await withApi(async (api) => {
      const operation = listOperations(api.deps).find(
        ({ spec }) => spec.id === operationId,
      ) as Operation;
      const expected = statuses.split(" ").map(Number);
      const answered: number[] = [];
      for (const actor of ACTORS) {
        const world = await makeWorld(api);
        const answer = await api.ask(operation.method, world.path(operation, subject), {
          as: world.cookies[actor],
          ...(operation.spec.body ? { body: world.body(operation.spec.id, subject) } : {}),
          ...(operation.spec.file ? fileOf(operation.spec.file.type) : {}),
        });
        answered.push(answer.status);
        const mayBeShown = actor === "owner" || actor === MAY_SEE_OTHERS;
        if (!mayBeShown && answer.text.includes(CANARY))
          throw new Error(`${actor} is shown the owner's data`);
      }
      expect(answered).toEqual(expected);
    })();
  },
);

const fileOf = (type: string) => ({
  body: type === "application/zip" ? packArchive(EMPTY) : TRAINING,
  headers: { "content-type": type },
});

/**
 * An owner whose every text has the canary in it, everyone else, and requests about the owner's
 * things.
 */
async function makeWorld(api: Api) {
  const { sql } = api.deps.db;
  const owner = await makeUser(api, { name: CANARY });
  const exerciseName = `own-${owner.id}`;
  const ownExercise = await makeExercise(api, { owner, name: exerciseName, instructions: CANARY });
  const [system] = await sql<
    { id: string; slug: string }[]
  >`select id, slug from exercises where owner_id is null limit 1`;
  const cookies = await makeActors(api, owner);
  const [login] = await sql<{ id: string }[]>`select id from logins where user_id = ${owner.id}`;

  const [routine] = await sql<{ id: string }[]>`
    insert into routines (owner_id, name, description) values (${owner.id}, ${CANARY}, ${CANARY}) returning id`;
  const [plan] = await sql<{ id: string }[]>`
    insert into plans (owner_id, name, description) values (${owner.id}, ${CANARY}, ${CANARY}) returning id`;
  const grantee = await makeUser(api);
  const [grant] = await sql<{ id: string }[]>`
    insert into grants (owner_id, grantee_id, plan_id, access)
    values (${owner.id}, ${grantee.id}, ${plan?.id ?? ""}, 'read') returning id`;
  const [imported] = await sql<{ id: string }[]>`
    insert into imports (user_id, format, workout_count, set_count) values (${owner.id}, 'hevy', 0, 0) returning id`;
  const stranger = await makeUser(api);
  const [clientId, invitationId] = [
    await makeClient(api, owner, true),
    await makeClient(api, owner, false),
  ];
  const values: Record<string, Record<Subject, string>> = {
    exerciseId: choose(ownExercise, system?.id),
    userId: choose(owner.id),
    loginId: choose(login?.id),
    email: { ...choose(encodeURIComponent(owner.email)), absent: "nobody@example.com" },
    routineId: choose(routine?.id),
    planId: choose(plan?.id),
    grantId: choose(grant?.id),
    importId: choose(imported?.id),
    ...(await makeLink(api, owner)),
    clientId: choose(clientId),
    invitationId: choose(invitationId),
    ...(await makeWorkout(api, owner)),
    id: { none: "1", own: "1", system: "1", absent: "32767" },
  };
  const aboutOthers: Record<string, (subject: Subject) => object> = {
    CreateGrant: (subject) => ({
      routineId: values.routineId?.[subject],
      email: stranger.email,
      access: "read",
    }),
    InviteClient: (subject) => ({
      email: subject === "own" ? owner.email : "nobody@example.com",
      scopes: ["read_history"],
    }),
    CreateLink: (subject) => ({ planId: values.planId?.[subject] }),
    AssignPlan: (subject) => ({ clientIds: [values.clientId?.[subject]] }),
  };
  const criteria: Record<Subject, string> = {
    none: "",
    own: `?name=${exerciseName}`,
    system: `?slug=${system?.slug}`,
    absent: "?slug=no-such-exercise",
  };
  return {
    cookies,
    path: ({ path, spec }: Operation, subject: Subject) =>
      (spec.id === "AcceptTrainer" ? path.replace(":clientId", ":invitationId") : path).replaceAll(
        /:([A-Za-z]+)/g,
        (_whole, name) => values[name]?.[subject] ?? "",
      ) +
      (spec.id === "FindExercise" ? criteria[subject] : "") +
      (["ListTrainingDays", "ListVolume", "ListClientVolume"].includes(spec.id)
        ? "?from=2026-01-01&to=2026-12-31"
        : "") +
      (spec.id === "ImportTraining" ? "?timeZone=UTC" : ""),
    body: (operationId: string, subject: Subject) => ({
      ...(bodyOf(operationId, subject, owner.email) as object),
      ...aboutOthers[operationId]?.(subject),
    }),
  };
}

/** A link to a routine without the canary, as path parameters. */
async function makeLink(api: Api, owner: { id: string }) {
  const token = randomBytes(16).toString("base64url");
  const hash = createHash("sha256").update(token).digest();
  const [made] = await api.deps.db.sql<{ id: string }[]>`
    with routine as (insert into routines (owner_id, name) values (${owner.id}, ${token}) returning id)
    insert into links (owner_id, routine_id, token_hash) select ${owner.id}, id, ${hash} from routine returning id`;
  return { linkId: choose(made?.id), token: { ...choose(token), absent: "A".repeat(22) } };
}

/** A client of a new trainer, or an invitation by one. */
async function makeClient(api: Api, owner: { id: string }, isAccepted: boolean) {
  const trainer = await makeUser(api, { roleSlug: "fitness-trainer" });
  const [made] = await api.deps.db.sql<{ id: string }[]>`
    insert into clients (trainer_id, client_id, asks_read_history, asks_write_plans, can_read_history, accepted_at)
    values (${trainer.id}, ${owner.id}, true, true, ${isAccepted}, ${isAccepted ? api.deps.db.sql`now()` : null})
    returning id`;
  return made?.id;
}

/** A workout in progress of one exercise and one set, as path parameters. */
async function makeWorkout(api: Api, owner: { id: string }) {
  const [made] = await api.deps.db.sql<{ workout: string; exercise: string; set: string }[]>`
    with workout as (
      insert into workouts (user_id, status, started_at, time_zone, notes)
      values (${owner.id}, 'in_progress', now(), 'UTC', ${CANARY}) returning id
    ), exercise as (
      insert into workout_exercises (workout_id, position, exercise_name, mode) select id, 1, ${CANARY}, 'reps' from workout
      returning id
    ), set as (
      insert into workout_sets (workout_exercise_id, mode, position, note) select id, 'reps', 1, ${CANARY} from exercise
      returning id
    )
    select workout.id as workout, exercise.id as exercise, set.id as set from workout, exercise, set`;
  return {
    workoutId: choose(made?.workout),
    workoutExerciseId: choose(made?.exercise),
    setId: choose(made?.set),
  };
}

const choose = (
  own: string | undefined,
  system: string | undefined = own,
): Record<Subject, string> => ({
  none: own ?? "",
  own: own ?? "",
  system: system ?? "",
  absent: ABSENT,
});

async function makeActors(api: Api, owner: { id: string }): Promise<Record<ActorName, string>> {
  const { sql } = api.deps.db;
  const [inactive, deleted] = [await makeUser(api), await makeUser(api)];
  const [other, trainer, superuser] = [
    await makeUser(api),
    await makeUser(api, { roleSlug: "fitness-trainer" }),
    await makeUser(api, { roleSlug: "superuser" }),
  ];
  const cookies = {
    nobody: "",
    garbage: "access_token=garbage",
    inactive: await signedIn(api, inactive),
    deleted: await signedIn(api, deleted),
    owner: await signedIn(api, owner),
    other: await signedIn(api, other),
    trainer: await signedIn(api, trainer),
    superuser: await signedIn(api, superuser),
  };
  await sql`update users set is_active = false where id = ${inactive.id}`;
  await sql`delete from users where id = ${deleted.id}`;
  return cookies;
}

function bodyOf(operationId: string, subject: Subject, ownersEmail: string): unknown {
  const fresh = { email: `fresh-${Bun.randomUUIDv7()}@example.com`, password: PASSWORD };
  const exercise = {
    name: `Exercise ${Bun.randomUUIDv7()}`,
    primaryMuscles: [1],
    difficultyLevel: "beginner",
    category: "strength",
  };
  const bodies: Record<string, unknown> = {
    AccountRegister: { ...fresh, confirmPassword: PASSWORD },
    AccountLogin: { username: subject === "own" ? ownersEmail : fresh.email, password: PASSWORD },
    AccountUpdatePwd: { currentPassword: PASSWORD, newPassword: "another battery staple" },
    RevokeLogin: { currentPassword: PASSWORD },
    RevokeOtherLogins: { currentPassword: PASSWORD },
    CreateUser: fresh,
    UpdateUser: { name: "Changed" },
    AssignRole: { roleSlug: "fitness-trainer" },
    RevokeRole: { roleSlug: "fitness-trainer" },
    CreateEquipment: { name: `new ${Bun.randomUUIDv7()}` },
    CreateMuscleGroup: { name: `new ${Bun.randomUUIDv7()}` },
    CreateExerciseTag: { name: `new ${Bun.randomUUIDv7()}` },
    UpdateEquipment: { name: `changed ${Bun.randomUUIDv7()}` },
    UpdateMuscleGroup: { name: `changed ${Bun.randomUUIDv7()}` },
    UpdateExerciseTag: { name: `changed ${Bun.randomUUIDv7()}` },
    CreateUserExercise: exercise,
    CreateSystemExercise: { ...exercise, instructions: "Press it", tags: [1] },
    UpdateUserExercise: { instructions: "Changed" },
    UpdateSystemExercise: { instructions: "Changed" },
    CreateRoutine: { name: "New", exercises: [] },
    UpdateRoutine: { description: "Changed" },
    CreatePlan: { name: "New", routines: [] },
    UpdatePlan: { description: "Changed" },
    UpdateGrant: { access: "write" },
    Sync: { changes: [] },
    ChooseImportNames: { names: [] },
    ChangeTrainerScopes: { scopes: ["write_plans"] },
    StartWorkout: { timeZone: "UTC" },
    UpdateWorkout: { notes: "Changed" },
    AddWorkoutExercise: { exerciseName: "New", mode: "reps" },
    UpdateWorkoutExercise: { notes: "Changed" },
    LogSet: { reps: 1 },
    UpdateSet: { reps: 1 },
  };
  return bodies[operationId] ?? {};
}
