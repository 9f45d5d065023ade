import type { ApiRequest } from "../load/wire.ts";
import { signInWithBothTokens, signUp } from "./accounts.ts";
import type { TestBed } from "./testbed.ts";

const P = "/api/v1";

/** The accounts and training that scenarios use. A cookie is a Cookie header. */
export type Fixtures = {
  testBed: TestBed;
  athlete: { cookie: string; email: string; id: string };
  admin: { cookie: string; email: string };
  trainer: { cookie: string; email: string };
  /** A system exercise, and one of the athlete's own. */
  systemExercise: string;
  ownExercise: string;
  /** A routine of three exercises, a plan with it, and a finished workout with thirty sets. */
  routine: string;
  plan: string;
  workout: string;
};

export const get = (account: { cookie: string }, path: string): ApiRequest => ({
  method: "GET",
  path: `${P}${path}`,
  headers: { cookie: account.cookie },
});

export const write = (
  account: { cookie: string },
  method: string,
  path: string,
  body?: unknown,
): ApiRequest => ({
  method,
  path: `${P}${path}`,
  headers: {
    cookie: account.cookie,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

/**
 * Sends a request and returns the JSON of the answer. Scenarios use it for preparation, which is
 * not counted. Throws if the status is not a success.
 */
export async function send<T = { id: string }>(
  { testBed }: Fixtures,
  { path, ...request }: ApiRequest,
): Promise<T> {
  const unix = testBed.server.socketPath;
  const answer = await fetch(`http://localhost${path}`, { unix, ...request });
  const text = await answer.text();
  if (!answer.ok)
    throw new Error(
      `${request.method} ${path} was answered with ${answer.status}: ${text.slice(0, 300)}`,
    );
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

let people = 0;

/** Creates an account with an optional role, and signs in. */
export async function makePerson(
  testBed: TestBed,
  role?: string,
): Promise<{ cookie: string; email: string; id: string }> {
  const email = `bench-${++people}@example.com`;
  const answer = await signUp(testBed.server.socketPath, email);
  const { id } = (await answer.json()) as { id: string };
  if (role)
    await testBed.db.sql`
      update users set role_id = (select id from roles where slug = ${role}) where id = ${id}`;
  return { cookie: await signInAs(testBed, email), email, id };
}

/** Signs in, and returns a Cookie header with both tokens. */
export const signInAs = ({ server }: TestBed, email: string): Promise<string> =>
  signInWithBothTokens(server.socketPath, email);

/** A name that no other row has. */
export const uniqueName = (name: string) => `${name} ${crypto.randomUUID()}`;

export const newExercise = (name: string) => ({
  name,
  primaryMuscles: [1],
  secondaryMuscles: [2],
  equipment: [1],
  difficultyLevel: "beginner",
  category: "strength",
});

/** Creates an athlete with training, a trainer and an administrator. */
export async function makeFixtures(testBed: TestBed): Promise<Fixtures> {
  const athlete = await makePerson(testBed);
  const admin = await makePerson(testBed, "superuser");
  const trainer = await makePerson(testBed, "fitness-trainer");
  const [system] = await testBed.db.sql<
    { id: string }[]
  >`select id from exercises where owner_id is null order by name limit 1`;
  const ids = {
    systemExercise: system?.id ?? "",
    ownExercise: "",
    routine: "",
    plan: "",
    workout: "",
  };
  const fixtures: Fixtures = { testBed, athlete, admin, trainer, ...ids };
  fixtures.ownExercise = (
    await send(fixtures, write(athlete, "POST", "/exercises/user", newExercise("Own exercise")))
  ).id;
  fixtures.routine = (
    await send(fixtures, write(athlete, "POST", "/routines", newRoutine(fixtures, "Push")))
  ).id;
  fixtures.plan = (
    await send(fixtures, write(athlete, "POST", "/plans", newPlan(fixtures, "Block")))
  ).id;
  fixtures.workout = (
    await send(fixtures, write(athlete, "POST", "/workouts", wholeWorkout(fixtures, 0)))
  ).id;
  return fixtures;
}

const CONCURRENCY = 8;

/** Creates `count` independent sets of fixtures. */
export async function makeFixtureSets(testBed: TestBed, count: number): Promise<Fixtures[]> {
  const fixtureSets: Fixtures[] = [];
  while (fixtureSets.length < count) {
    const next = Array.from({ length: Math.min(CONCURRENCY, count - fixtureSets.length) }, () =>
      makeFixtures(testBed),
    );
    fixtureSets.push(...(await Promise.all(next)));
  }
  return fixtureSets;
}

export const newRoutine = ({ systemExercise, ownExercise }: Fixtures, name: string) => ({
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

export const newPlan = ({ routine }: Fixtures, name: string) => ({
  name,
  routines: [{ routineId: routine, day: 1 }],
});

/**
 * A finished workout of an hour with three exercises of ten sets each; every `n` is another day.
 */
export const wholeWorkout = ({ systemExercise, ownExercise }: Fixtures, n: number) => {
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
