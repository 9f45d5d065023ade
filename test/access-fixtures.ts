import { createHash, randomBytes } from "node:crypto";
import type { Operation } from "#src/operations/operation.ts";
import type { ActorName, Subject } from "./access-matrix.ts";
import { ABSENT, makeExercise, makeUser, PASSWORD, signedIn } from "./fixtures.ts";
import type { Api } from "./harness.ts";

/** A text in the owner's data that no request of another actor contains. */
export const CANARY = "canary-of-the-owner";

/** Creates an owner with data that contains the canary, the actors, and requests about the data. */
export async function makeAccessFixtures(api: Api) {
  const { sql } = api.deps.db;
  const owner = await makeUser(api, { name: CANARY });
  const exerciseName = `own-${owner.id}`;
  const ownExercise = await makeExercise(api, { owner, name: exerciseName, instructions: CANARY });
  const [system] = await sql<{ id: string; slug: string }[]>`
    select id, slug from exercises where owner_id is null limit 1`;
  const cookies = await makeActors(api, owner);
  const [login] = await sql<{ id: string }[]>`select id from logins where user_id = ${owner.id}`;
  const [routine] = await sql<{ id: string }[]>`
    insert into routines (owner_id, name, description)
    values (${owner.id}, ${CANARY}, ${CANARY}) returning id`;
  const [plan] = await sql<{ id: string }[]>`
    insert into plans (owner_id, name, description)
    values (${owner.id}, ${CANARY}, ${CANARY}) returning id`;
  const grantee = await makeUser(api);
  const [grant] = await sql<{ id: string }[]>`
    insert into grants (owner_id, grantee_id, plan_id, access)
    values (${owner.id}, ${grantee.id}, ${plan?.id ?? ""}, 'read') returning id`;
  const [imported] = await sql<{ id: string }[]>`
    insert into imports (user_id, format, workout_count, set_count)
    values (${owner.id}, 'hevy', 0, 0) returning id`;
  const stranger = await makeUser(api);
  const [clientId, invitationId] = [
    await makeClient(api, owner, true),
    await makeClient(api, owner, false),
  ];
  const values: Record<string, Record<Subject, string>> = {
    exerciseId: valuesOf(ownExercise, system?.id),
    userId: valuesOf(owner.id),
    loginId: valuesOf(login?.id),
    email: { ...valuesOf(encodeURIComponent(owner.email)), absent: "nobody@example.com" },
    routineId: valuesOf(routine?.id),
    planId: valuesOf(plan?.id),
    grantId: valuesOf(grant?.id),
    importId: valuesOf(imported?.id),
    ...(await makeLink(api, owner)),
    clientId: valuesOf(clientId),
    invitationId: valuesOf(invitationId),
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
        (_parameter, name) => values[name]?.[subject] ?? "",
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
  const [inserted] = await api.deps.db.sql<{ id: string }[]>`
    with routine as (
      insert into routines (owner_id, name) values (${owner.id}, ${token}) returning id
    )
    insert into links (owner_id, routine_id, token_hash)
    select ${owner.id}, id, ${hash} from routine returning id`;
  return { linkId: valuesOf(inserted?.id), token: { ...valuesOf(token), absent: "A".repeat(22) } };
}

/** A client of a new trainer, or an invitation by one. */
async function makeClient(api: Api, owner: { id: string }, isAccepted: boolean) {
  const trainer = await makeUser(api, { roleSlug: "fitness-trainer" });
  const [inserted] = await api.deps.db.sql<{ id: string }[]>`
    insert into clients (
      trainer_id, client_id, asks_read_history, asks_write_plans, can_read_history, accepted_at)
    values (${trainer.id}, ${owner.id}, true, true, ${isAccepted},
      case when ${isAccepted} then now() end)
    returning id`;
  return inserted?.id;
}

/** A workout in progress of one exercise and one set, as path parameters. */
async function makeWorkout(api: Api, owner: { id: string }) {
  const [inserted] = await api.deps.db.sql<{ workout: string; exercise: string; set: string }[]>`
    with workout as (
      insert into workouts (user_id, status, started_at, time_zone, notes)
      values (${owner.id}, 'in_progress', now(), 'UTC', ${CANARY}) returning id
    ), exercise as (
      insert into workout_exercises (workout_id, position, exercise_name, mode)
      select id, 1, ${CANARY}, 'reps' from workout returning id
    ), set as (
      insert into workout_sets (workout_exercise_id, mode, position, note)
      select id, 'reps', 1, ${CANARY} from exercise returning id
    )
    select workout.id as workout, exercise.id as exercise, set.id as set
    from workout, exercise, set`;
  return {
    workoutId: valuesOf(inserted?.workout),
    workoutExerciseId: valuesOf(inserted?.exercise),
    setId: valuesOf(inserted?.set),
  };
}

const valuesOf = (
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

function bodyOf(operationId: string, subject: Subject, ownerEmail: string): unknown {
  const account = { email: `new-${Bun.randomUUIDv7()}@example.com`, password: PASSWORD };
  const exercise = {
    name: `Exercise ${Bun.randomUUIDv7()}`,
    primaryMuscles: [1],
    difficultyLevel: "beginner",
    category: "strength",
  };
  const bodies: Record<string, unknown> = {
    AccountRegister: { ...account, confirmPassword: PASSWORD },
    AccountLogin: { username: subject === "own" ? ownerEmail : account.email, password: PASSWORD },
    AccountUpdatePwd: { currentPassword: PASSWORD, newPassword: "another battery staple" },
    RevokeLogin: { currentPassword: PASSWORD },
    RevokeOtherLogins: { currentPassword: PASSWORD },
    CreateUser: account,
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
