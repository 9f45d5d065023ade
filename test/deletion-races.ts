import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { type Answer, type Api, expectStatus } from "./harness.ts";

/** What recipes share: the API, the cookie of a superuser, and a muscle group that stays. */
export type World = { api: Api; admin: string; muscle: number };

/**
 * A request that names something, and a request that deletes it; `table` and `id` say what that is.
 */
export type Race = {
  create: () => Promise<Answer>;
  remove: () => Promise<Answer>;
  table: string;
  id: string | number;
};
export type Recipe = (world: World) => Promise<Race>;
type SignedIn = Awaited<ReturnType<typeof makeSignedIn>>;
type Create = () => Promise<Answer>;

export const V1 = "/api/v1";
export const ENTRY = { mode: "reps", sets: 1 };
const CSV = [
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE",
  "2026-01-05 10:00:00,Push,1h,Zq Press,1,100,5,0,0,,,",
].join("\n");
let counter = 0;
export const fresh = () => `Zq ${process.pid} ${++counter}`;

export async function make(
  { api }: World,
  as: string,
  path: string,
  body: object,
): Promise<string> {
  const made = await api.post(`${V1}/${path}`, { as, body });
  expectStatus(made, 201);
  return made.json.id;
}
export const makeRoutine = (world: World, as: string, exercises: object[] = []) =>
  make(world, as, "routines", { name: fresh(), exercises });
export const makePlan = (world: World, as: string, routines: object[] = []) =>
  make(world, as, "plans", { name: fresh(), routines });
export const newExercise = ({ muscle }: World) => ({
  name: fresh(),
  primaryMuscles: [muscle],
  category: "strength",
  difficultyLevel: "beginner",
});

/** Someone is deleted who does something, or to whom something is done. */
export const user =
  (begin: (world: World, victim: SignedIn) => Create | Promise<Create>): Recipe =>
  async (world) => {
    const victim = await makeSignedIn(world.api, { roleSlug: "fitness-trainer" });
    const create = await begin(world, victim);
    const { id } = victim.user;
    return {
      create,
      remove: () => world.api.delete(`${V1}/users/${id}`, { as: world.admin }),
      table: "users",
      id,
    };
  };
export const userPosts = (path: string, body: (world: World) => object, headers = {}): Recipe =>
  user(
    (world, { as }) =>
      () =>
        world.api.post(`${V1}/${path}`, { as, body: body(world), headers }),
  );

/** Something of somebody's own is deleted that they name. */
export const own =
  (
    table: string,
    path: string,
    makeIt: (world: World, as: string, owner: SignedIn) => Promise<string>,
    begin: (world: World, as: string, id: string) => Create | Promise<Create>,
  ): Recipe =>
  async (world) => {
    const owner = await makeSignedIn(world.api, { roleSlug: "fitness-trainer" });
    const { as } = owner;
    const id = await makeIt(world, as, owner);
    const create = await begin(world, as, id);
    return { create, remove: () => world.api.delete(`${V1}/${path}/${id}`, { as }), table, id };
  };
export const exercise = (begin: Parameters<typeof own>[3]) =>
  own(
    "exercises",
    "exercises",
    (world, _as, owner) => makeExercise(world.api, { owner: owner.user, name: fresh() }),
    begin,
  );
export const routine = (begin: Parameters<typeof own>[3]) =>
  own("routines", "routines", (world, as) => makeRoutine(world, as), begin);
export const plan = (begin: Parameters<typeof own>[3]) =>
  own("plans", "plans", (world, as) => makePlan(world, as), begin);
export const posting =
  (path: string, body: (id: string) => object) => (world: World, as: string, id: string) => () =>
    world.api.post(`${V1}/${path}`, { as, body: body(id) });
export const relinking =
  (links: (world: World) => object) => (world: World, as: string, id: string) => () =>
    world.api.patch(`${V1}/exercises/user/${id}`, { as, body: links(world) });

/** An entry of a catalog is deleted that an exercise names. */
export const entry =
  (
    catalog: string,
    table: string,
    body: (id: number) => object,
    kind: "user" | "system" = "user",
  ): Recipe =>
  async (world) => {
    const id = Number(await make(world, world.admin, `catalogs/${catalog}`, { name: fresh() }));
    const send = () =>
      world.api.post(`${V1}/exercises/${kind}`, {
        as: world.admin,
        body: { ...newExercise(world), ...body(id) },
      });
    return {
      create: send,
      remove: () => world.api.delete(`${V1}/catalogs/${catalog}/${id}`, { as: world.admin }),
      table,
      id,
    };
  };

export async function makeClient(world: World, trainer: string, client: SignedIn): Promise<string> {
  const id = await make(world, trainer, "clients", {
    email: client.user.email,
    scopes: ["write_plans"],
  });
  expectStatus(
    await world.api.post(`${V1}/trainers/${id}/accept`, { as: client.as, body: {} }),
    200,
  );
  return id;
}
export const assign = (world: World, trainer: string, planId: string, clientId: string) => () =>
  world.api.post(`${V1}/plans/${planId}/assign`, { as: trainer, body: { clientIds: [clientId] } });
export const sendFile = ({ api }: World, as: string) =>
  api.post(`${V1}/imports?timeZone=UTC&weightUnit=kg`, {
    as,
    body: CSV,
    headers: { "content-type": "text/csv" },
  });
