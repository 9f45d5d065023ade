import type { HandlerInput } from "../measure/counts.ts";
import type { Stand } from "./testbed.ts";

const P = "/api/v1";
export const PASSWORD = "a bench needs a password";

/** Whom the scenarios know: each a Cookie header. */
export type World = {
  stand: Stand;
  athlete: { cookie: string; email: string; id: string };
  admin: { cookie: string; email: string };
  trainer: { cookie: string; email: string };
  /** A system exercise, and one of the athlete's own. */
  systemExercise: string;
  ownExercise: string;
  /**
   * A routine of three exercises, a plan of it, and a workout of it that is over, with thirty sets.
   */
  routine: string;
  plan: string;
  workout: string;
};

/** One kind of request, by the operation that it asks for; `n` tells one from another. */
export type Scenario = {
  operation: string;
  request(world: World, n: number): HandlerInput | Promise<HandlerInput>;
};

export const get = (world: { cookie: string }, path: string): HandlerInput => ({
  method: "GET",
  path: `${P}${path}`,
  headers: { cookie: world.cookie },
});

export const write = (
  who: { cookie: string },
  method: string,
  path: string,
  body?: unknown,
): HandlerInput => ({
  method,
  path: `${P}${path}`,
  headers: {
    cookie: who.cookie,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

/** Asks at once, and gives the answer's JSON: what a scenario needs before it is counted. */
export async function made<T = { id: string }>({ stand }: World, asked: HandlerInput): Promise<T> {
  const { path, ...request } = asked;
  const answer = await fetch(`http://localhost${path}`, {
    unix: stand.server.socketPath,
    ...request,
  });
  const text = await answer.text();
  if (!answer.ok)
    throw new Error(
      `${asked.method} ${path} was answered with ${answer.status}: ${text.slice(0, 300)}`,
    );
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

let people = 0;

/** Signs a new person up and in; with a role when one is given. */
export async function makePerson(
  stand: Stand,
  role?: string,
): Promise<{ cookie: string; email: string; id: string }> {
  const email = `bench-${++people}@example.com`;
  const post = (path: string, body: unknown) =>
    fetch(`http://localhost${P}/access/${path}`, {
      unix: stand.server.socketPath,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const { id } = (await (
    await post("signup", { email, password: PASSWORD, confirmPassword: PASSWORD })
  ).json()) as {
    id: string;
  };
  if (role)
    await stand.db
      .sql`update users set role_id = (select id from roles where slug = ${role}) where id = ${id}`;
  return { cookie: await signInAs(stand, email), email, id };
}

/** Both cookies of a new login. */
export async function signInAs(stand: Stand, email: string): Promise<string> {
  const answer = await fetch(`http://localhost${P}/access/signin`, {
    unix: stand.server.socketPath,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: email, password: PASSWORD }),
  });
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

export const newExercise = (name: string) => ({
  name,
  primaryMuscles: [1],
  secondaryMuscles: [2],
  equipment: [1],
  difficultyLevel: "beginner",
  category: "strength",
});

/** An athlete who has trained, a trainer and an administrator. */
export async function makeWorld(stand: Stand): Promise<World> {
  const athlete = await makePerson(stand);
  const admin = await makePerson(stand, "superuser");
  const trainer = await makePerson(stand, "fitness-trainer");
  const [system] = await stand.db.sql<
    { id: string }[]
  >`select id from exercises where owner_id is null order by name limit 1`;
  const ids = {
    systemExercise: system?.id ?? "",
    ownExercise: "",
    routine: "",
    plan: "",
    workout: "",
  };
  const world: World = { stand, athlete, admin, trainer, ...ids };
  world.ownExercise = (
    await made(world, write(athlete, "POST", "/exercises/user", newExercise("Own exercise")))
  ).id;
  world.routine = (
    await made(world, write(athlete, "POST", "/routines", newRoutine(world, "Push")))
  ).id;
  world.plan = (await made(world, write(athlete, "POST", "/plans", newPlan(world, "Block")))).id;
  world.workout = (
    await made(world, write(athlete, "POST", "/workouts", wholeWorkout(world, 0)))
  ).id;
  return world;
}

export const newRoutine = ({ systemExercise, ownExercise }: World, name: string) => ({
  name,
  exercises: [systemExercise, ownExercise, systemExercise].map((exerciseId) => ({
    exerciseId,
    mode: "reps",
    sets: 3,
    repsMin: 5,
    repsMax: 8,
    weight: 100,
    weightUnit: "kg",
  })),
});

export const newPlan = ({ routine }: World, name: string) => ({
  name,
  routines: [{ routineId: routine, day: 1 }],
});

/** Three exercises with ten sets each, an hour long, on a day of its own. */
export const wholeWorkout = ({ systemExercise, ownExercise }: World, n: number) => {
  const startedAt = new Date(Date.UTC(2026, 0, 1, 10) + n * 86_400_000);
  return {
    startedAt: startedAt.toISOString(),
    endedAt: new Date(startedAt.getTime() + 3_600_000).toISOString(),
    timeZone: "Europe/Berlin",
    exercises: [systemExercise, ownExercise, systemExercise].map((exerciseId) => ({
      exerciseId,
      mode: "reps",
      sets: Array.from({ length: 10 }, (_, set) => ({
        reps: 5,
        weight: 80 + set,
        weightUnit: "kg",
        rpe: 8,
      })),
    })),
  };
};
