import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { testConfig } from "#test/config.ts";
import {
  type Change,
  expectedPage,
  type Model,
  type ModelExercise,
  type Query,
  type Rename,
  serverStep,
  USERS,
  type User,
  type Write,
} from "#test/exercise-list-model.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { type Api, apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { EXERCISES } from "#test/paths.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { createTokens } from "../access/tokens.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-exact-"));
let database: OwnDatabase;
let processes: Processes;
let servers: ServingProcess[];
let cookies: Record<User, string>;

beforeAll(async () => {
  database = await makeOwnDatabase();
  const { sql } = database.pool;
  for (const table of ["muscle_groups", "equipment", "exercise_tags"]) {
    await sql`insert into ${sql(table)} (name) values ('first'), ('second'), ('third')`;
  }
  processes = await openProcesses(dir, database.url);
  servers = [await processes.start("one"), await processes.start("two")];
  const api: Api = await apiOn(database.pool, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
  const cookieOf = async (roleSlug: "superuser" | "application-access") =>
    signedIn(api, await makeUser(api, { roleSlug }));
  cookies = {
    ada: await cookieOf("application-access"),
    bob: await cookieOf("application-access"),
    root: await cookieOf("superuser"),
  };
});
afterAll(async () => {
  processes.stop();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

test("lists from the caches of two processes always equal a model of the writes", async () => {
  const stopReading = readContinuously();
  await fc
    .assert(
      fc.asyncProperty(fc.array(serverStep, { minLength: 5, maxLength: 30 }), async (steps) => {
        const model: Model = { exercises: [], equipmentNames: ["first", "second", "third"] };
        try {
          for (const { server, step } of steps) {
            if (step.kind === "read") await compare(model, step.user, step.query);
            else await writeAndCompare(model, server, step);
          }
          for (const reader of USERS) await compare(model, reader, { pageSize: 20 });
        } finally {
          await clear(model);
        }
      }),
      { numRuns: 80 },
    )
    .finally(stopReading);
}, 60_000);

/** Writes through one process, and reads from the other as soon as the reply has arrived. */
async function writeAndCompare(model: Model, server: number, change: Change) {
  await perform(model, servers[server] as ServingProcess, change);
  const reader = "user" in change && change.user !== "root" ? change.user : "ada";
  const query = { pageSize: 20 };
  expect(await list(servers[1 - server] as ServingProcess, reader, query)).toEqual(
    expectedPage(model, reader, query),
  );
}

/**
 * Reads lists of several users from both processes until stopped, so that the caches keep filling.
 */
function readContinuously(): () => Promise<void> {
  let isStopped = false;
  const readers = servers.flatMap((server) =>
    (["ada", "bob", "ada", "bob"] as const).map(async (reader) => {
      while (!isStopped) await list(server, reader, { pageSize: 20 });
    }),
  );
  return async () => {
    isStopped = true;
    await Promise.all(readers);
  };
}

/** Makes a change through `server` and in the model, and checks the status. */
async function perform(model: Model, server: ServingProcess, change: Change) {
  if (change.kind === "rename") return rename(model, server, change);
  const target = model.exercises[change.pick % Math.max(1, model.exercises.length)];
  if (change.kind === "remove") return remove(model, server, change.user, target);
  return write(model, server, change, target);
}

async function remove(
  model: Model,
  server: ServingProcess,
  user: User,
  target: ModelExercise | undefined,
) {
  const answer = await server.ask("DELETE", `${EXERCISES}/${target?.id ?? crypto.randomUUID()}`, {
    as: cookies[user],
  });
  const mayDelete =
    target !== undefined && (target.owner === user || (!target.owner && user === "root"));
  expect(answer.status === 204).toBe(mayDelete);
  if (mayDelete) model.exercises = model.exercises.filter((exercise) => exercise !== target);
}

async function write(
  model: Model,
  server: ServingProcess,
  { kind, user, isSystem, name: number, equipment, tags }: Write,
  target: ModelExercise | undefined,
) {
  const owner = isSystem ? undefined : user;
  const as = cookies[isSystem ? "root" : user];
  const path = `${EXERCISES}/${isSystem ? "system" : "user"}`;
  const name = `Name ${String.fromCharCode(97 + number)}${number}`;
  const fields = {
    owner,
    name,
    equipment: equipment.toSorted(),
    tags: isSystem ? tags.toSorted() : [],
  };
  const isTaken = (except?: ModelExercise) =>
    model.exercises.some(
      (exercise) => exercise !== except && exercise.owner === owner && exercise.name === name,
    );
  const body = { name, primaryMuscles: [1], equipment, ...(isSystem ? { tags } : {}) };
  if (kind === "create") {
    const required = { difficultyLevel: "beginner", category: "strength" };
    const newBody = { ...body, ...required, ...(isSystem ? { instructions: "Do" } : {}) };
    const answer = await server.ask("POST", path, { as, body: newBody });
    expect(answer.status).toBe(isTaken() ? 409 : 201);
    if (answer.status === 201)
      model.exercises.push({ id: ((await answer.json()) as { id: string }).id, ...fields });
  } else if (target) {
    const answer = await server.ask("PATCH", `${path}/${target.id}`, { as, body });
    const ownStatus = isTaken(target) ? 409 : 200;
    expect(answer.status).toBe(target.owner === owner ? ownStatus : 404);
    if (answer.status === 200) Object.assign(target, fields);
  }
}

async function rename(model: Model, server: ServingProcess, { pick, name: number }: Rename) {
  const index = pick % 3;
  const name = `kind ${number}`;
  const answer = await server.ask("PATCH", `/api/v1/catalogs/equipment/${index + 1}`, {
    as: cookies.root,
    body: { name },
  });
  const isTaken = model.equipmentNames.some((taken, other) => other !== index && taken === name);
  expect(answer.status).toBe(isTaken ? 409 : 200);
  if (!isTaken) model.equipmentNames[index] = name;
}

/** Reads twice from both processes and compares with the model. */
async function compare(model: Model, reader: User, query: Query) {
  const expected = expectedPage(model, reader, query);
  for (const server of [...servers, ...servers])
    expect(await list(server, reader, query)).toEqual(expected);
}

async function list(server: ServingProcess, reader: User, query: Query) {
  const parameters = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const answer = await server.ask("GET", `${EXERCISES}?${parameters}`, { as: cookies[reader] });
  const page = (await answer.json()) as {
    total: number;
    items: { id: string; name: string; equipment: { name: string }[] }[];
  };
  return {
    total: page.total,
    items: page.items.map(({ id, name, equipment }) => ({
      id,
      name,
      equipment: equipment.map((entry) => entry.name),
    })),
  };
}

async function clear({ exercises }: Model) {
  const [server] = servers as [ServingProcess];
  for (const { id, owner } of exercises)
    await server.ask("DELETE", `${EXERCISES}/${id}`, { as: cookies[owner ?? "root"] });
  for (const [index, name] of ["first", "second", "third"].entries()) {
    await server.ask("PATCH", `/api/v1/catalogs/equipment/${index + 1}`, {
      as: cookies.root,
      body: { name },
    });
  }
}
