import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { type Answer, type Api, expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

/** Shared by all recipes: the API, the cookie of a superuser, and a permanent muscle group. */
export type Fixtures = { api: Api; admin: string; muscle: number };

/** A request that refers to a row, and a request that deletes that row of `table`. */
export type Race = {
  create: () => Promise<Answer>;
  remove: () => Promise<Answer>;
  table: string;
  id: string | number;
};
export type Recipe = (fixtures: Fixtures) => Promise<Race>;
type SignedIn = Awaited<ReturnType<typeof makeSignedIn>>;
type Create = () => Promise<Answer>;

export const ENTRY = { mode: "reps", sets: 1 };
const CSV = [
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE",
  "2026-01-05 10:00:00,Push,1h,Zq Press,1,100,5,0,0,,,",
].join("\n");
let counter = 0;
export const fresh = () => `Zq ${process.pid} ${++counter}`;

export async function make(
  { api }: Fixtures,
  as: string,
  path: string,
  body: object,
): Promise<string> {
  const answer = await api.post(`${API}/${path}`, { as, body });
  expectStatus(answer, 201);
  return answer.json.id;
}
export const makeRoutine = (fixtures: Fixtures, as: string, exercises: object[] = []) =>
  make(fixtures, as, "routines", { name: fresh(), exercises });
export const makePlan = (fixtures: Fixtures, as: string, routines: object[] = []) =>
  make(fixtures, as, "plans", { name: fresh(), routines });
export const newExercise = ({ muscle }: Fixtures) => ({
  name: fresh(),
  primaryMuscles: [muscle],
  category: "strength",
  difficultyLevel: "beginner",
});

/** Deletes a user while a request by or about them runs. */
export const user =
  (begin: (fixtures: Fixtures, victim: SignedIn) => Create | Promise<Create>): Recipe =>
  async (fixtures) => {
    const victim = await makeSignedIn(fixtures.api, { roleSlug: "fitness-trainer" });
    const create = await begin(fixtures, victim);
    const { id } = victim.user;
    return {
      create,
      remove: () => fixtures.api.delete(`${API}/users/${id}`, { as: fixtures.admin }),
      table: "users",
      id,
    };
  };
export const userPosts = (
  path: string,
  body: (fixtures: Fixtures) => object,
  headers = {},
): Recipe =>
  user(
    (fixtures, { as }) =>
      () =>
        fixtures.api.post(`${API}/${path}`, { as, body: body(fixtures), headers }),
  );

/** Deletes an entity while its owner sends a request that refers to it. */
export const own =
  (
    table: string,
    path: string,
    makeEntity: (fixtures: Fixtures, as: string, owner: SignedIn) => Promise<string>,
    begin: (fixtures: Fixtures, as: string, id: string) => Create | Promise<Create>,
  ): Recipe =>
  async (fixtures) => {
    const owner = await makeSignedIn(fixtures.api, { roleSlug: "fitness-trainer" });
    const { as } = owner;
    const id = await makeEntity(fixtures, as, owner);
    const create = await begin(fixtures, as, id);
    return { create, remove: () => fixtures.api.delete(`${API}/${path}/${id}`, { as }), table, id };
  };
export const exercise = (begin: Parameters<typeof own>[3]) =>
  own(
    "exercises",
    "exercises",
    (fixtures, _as, owner) => makeExercise(fixtures.api, { owner: owner.user, name: fresh() }),
    begin,
  );
export const routine = (begin: Parameters<typeof own>[3]) =>
  own("routines", "routines", (fixtures, as) => makeRoutine(fixtures, as), begin);
export const plan = (begin: Parameters<typeof own>[3]) =>
  own("plans", "plans", (fixtures, as) => makePlan(fixtures, as), begin);
export const posting =
  (path: string, body: (id: string) => object) =>
  (fixtures: Fixtures, as: string, id: string) =>
  () =>
    fixtures.api.post(`${API}/${path}`, { as, body: body(id) });
export const relinking =
  (links: (fixtures: Fixtures) => object) => (fixtures: Fixtures, as: string, id: string) => () =>
    fixtures.api.patch(`${API}/exercises/user/${id}`, { as, body: links(fixtures) });

/** Deletes a catalog entry while an exercise that refers to it is created. */
export const entry =
  (
    catalog: string,
    table: string,
    body: (id: number) => object,
    kind: "user" | "system" = "user",
  ): Recipe =>
  async (fixtures) => {
    const id = Number(
      await make(fixtures, fixtures.admin, `catalogs/${catalog}`, { name: fresh() }),
    );
    const send = () =>
      fixtures.api.post(`${API}/exercises/${kind}`, {
        as: fixtures.admin,
        body: { ...newExercise(fixtures), ...body(id) },
      });
    return {
      create: send,
      remove: () => fixtures.api.delete(`${API}/catalogs/${catalog}/${id}`, { as: fixtures.admin }),
      table,
      id,
    };
  };

export async function makeClient(
  fixtures: Fixtures,
  trainer: string,
  client: SignedIn,
): Promise<string> {
  const id = await make(fixtures, trainer, "clients", {
    email: client.user.email,
    scopes: ["write_plans"],
  });
  expectStatus(
    await fixtures.api.post(`${API}/trainers/${id}/accept`, { as: client.as, body: {} }),
    200,
  );
  return id;
}
export const assign =
  (fixtures: Fixtures, trainer: string, planId: string, clientId: string) => () =>
    fixtures.api.post(`${API}/plans/${planId}/assign`, {
      as: trainer,
      body: { clientIds: [clientId] },
    });
export const sendFile = ({ api }: Fixtures, as: string) =>
  api.post(`${API}/imports?timeZone=UTC&weightUnit=kg`, {
    as,
    body: CSV,
    headers: { "content-type": "text/csv" },
  });
