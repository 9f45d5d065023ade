import type { ExistingValues } from "./extreme-texts.ts";
import { makeExercise, makeInvitation, makeSignedIn, signInFor } from "./fixtures.ts";
import { type Api, expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

export type HostileFixtures = {
  existing: ExistingValues;
  /** A cookie for each kind of access, one of an unrelated user, and a refresh cookie. */
  cookies: {
    anyone: string;
    active: string;
    trainer: string;
    superuser: string;
    stranger: string;
    refresh: string;
  };
  /** Existing values of path parameters by name; those of `id` by the preceding segment. */
  params: Record<string, string[]>;
};

/** Creates an account with entities of every kind, its trainer, and a superuser. */
export async function makeHostileFixtures(api: Api): Promise<HostileFixtures> {
  const { client, trainer, invitation, accept } = await makeInvitation(api);
  expectStatus(await accept(), 200);
  const other = await makeSignedIn(api, { roleSlug: "fitness-trainer", name: "Ünï" });
  const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
  const { as } = client;
  const post = async (path: string, body: unknown, who = as) => {
    const answer = await api.post(`${API}/${path}`, { as: who, body });
    if (answer.status !== 201)
      throw new Error(`${path} was answered with ${answer.status}: ${answer.text}`);
    return answer.json;
  };
  const request = await post(
    "clients",
    { email: client.user.email, scopes: ["read_history"] },
    other.as,
  );
  const own = await makeExercise(api, { owner: client.user, name: "Zq own" });
  const [system] = await api.deps.db.sql<{ id: string; slug: string; name: string }[]>`
    select id, slug, name from exercises where owner_id is null order by id limit 1`;
  const target = { mode: "reps", sets: 3, repsMin: 5, repsMax: 8, weight: 100, weightUnit: "kg" };
  const entries = [own, system?.id].map((exerciseId) => ({ exerciseId, ...target }));
  const routine = await post("routines", { name: "Zq legs", exercises: entries });
  const plan = await post("plans", {
    name: "Zq plan",
    routines: [{ routineId: routine.id, day: 1 }],
  });
  const sets = [{ reps: 5, weight: 100, weightUnit: "kg", rpe: 8 }, { reps: 8 }];
  const completed = {
    timeZone: "Europe/Berlin",
    startedAt: "2026-03-01T10:00:00.000001Z",
    endedAt: "2026-03-01T11:00:00Z",
    exercises: [own, system?.id].map((exerciseId) => ({ exerciseId, mode: "reps", sets })),
  };
  const done = await post("workouts", completed);
  const trashed = await post("workouts", completed);
  expectStatus(await api.delete(`${API}/workouts/${trashed.id}`, { as }), 204);
  const begun = await post("workouts", { timeZone: "UTC", routineId: routine.id, planId: plan.id });
  const set = await post(`workouts/${begun.id}/exercises/${begun.exercises[0].id}/sets`, {
    reps: 3,
  });
  const grant = await post("grants", {
    routineId: routine.id,
    email: other.user.email,
    access: "write",
  });
  const link = await post("links", { planId: plan.id });
  const entryOf = async (catalog: string) =>
    String((await post(`catalogs/${catalog}`, { name: `zq ${catalog}` }, superuser.as)).id);
  const teaching = await post("plans", { name: "Zq taught", routines: [] }, trainer.as);
  const csv =
    "Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps\n2026-01-01 10:00:00,A,Press,1,50,kg,5\n";
  const imported = await api.post(`${API}/imports?timeZone=UTC`, {
    as,
    body: csv,
    headers: { "content-type": "text/csv" },
  });
  const logins = (await api.get(`${API}/access/logins`, { as })).json.map(
    ({ id }: { id: string }) => id,
  );
  const workouts = [begun.id, begun.id, done.id, trashed.id];
  const clients = [request.id, invitation.id];
  const emails = [client, trainer, other, superuser].map(({ user }) => user.email);
  const users = [client, trainer, other, superuser].map(({ user }) => user.id);
  const exerciseIds = [own, system?.id as string];
  const page = (await api.get(`${API}/workouts?pageSize=1`, { as })).json.nextCursor as string;
  const changes = (await api.get(`${API}/sync/changes?pageSize=1`, { as })).json
    .nextCursor as string;
  const cursorAt = (text: string) => Buffer.from(text).toString("base64url");
  const { refresh } = await signInFor(api, client.user.email);
  return {
    existing: {
      idsOf: {
        exerciseId: exerciseIds,
        routineId: [routine.id],
        planId: [plan.id],
        userId: users,
        clientIds: [invitation.id],
      },
      ids: [
        ...exerciseIds,
        routine.id,
        plan.id,
        teaching.id,
        ...workouts,
        ...clients,
        ...users,
        set.id,
        crypto.randomUUID(),
      ],
      emails: [...emails, "free@example.com"],
      names: ["Zq own", "Zq legs", "Zq plan", system?.name as string],
      cursors: [
        page,
        changes,
        cursorAt("changes 999999999999999999"),
        cursorAt("changes 0"),
        cursorAt(`2199-12-31T23:59:59.999999Z ${done.id}`),
        cursorAt(`1000-01-01T00:00:00.000000Z ${done.id}`),
      ],
    },
    cookies: {
      anyone: as,
      active: as,
      trainer: trainer.as,
      superuser: superuser.as,
      stranger: other.as,
      refresh,
    },
    params: {
      exerciseId: exerciseIds,
      routineId: [routine.id],
      planId: [plan.id, teaching.id],
      workoutId: workouts,
      workoutExerciseId: [begun.exercises[0].id, begun.exercises[1].id, done.exercises[1].id],
      setId: [set.id, set.id, done.exercises[0].sets[0].id],
      grantId: [grant.id],
      linkId: [link.id],
      token: [link.token],
      clientId: clients,
      userId: users,
      email: emails,
      loginId: logins,
      importId: [imported.json.importId],
      // Unused entries, because renaming a used one rewrites hundreds of exercises.
      equipment: [await entryOf("equipment"), "32767"],
      "muscle-groups": [await entryOf("muscle-groups"), "32767"],
      "exercise-tags": [await entryOf("exercise-tags"), "32767"],
    },
  };
}
