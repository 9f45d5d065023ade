import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { testConfig } from "#test/config.ts";
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
let cookies: Record<Who, string>;

type Who = "ada" | "bob" | "root";

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

/** An exercise as the model knows it; `owner` is undefined for one of the catalog. */
type Known = {
  id: string;
  owner: Who | undefined;
  name: string;
  equipment: number[];
  tags: number[];
};
type Model = { exercises: Known[]; equipmentNames: string[] };

type Query = {
  scope?: "system" | "user" | "all";
  equipment?: number;
  tags?: number;
  pageSize: number;
};
type Written = {
  kind: "create" | "change";
  who: Who;
  isSystem: boolean;
  name: number;
  pick: number;
  equipment: number[];
  tags: number[];
};
type Step =
  | Written
  | { kind: "remove"; who: Who; pick: number }
  | { kind: "rename"; pick: number; name: number }
  | { kind: "read"; who: Who; query: Query };

const who = fc.constantFrom<Who>("ada", "bob", "root");
const ids = fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 2 });
const query = fc.record<Query>(
  {
    scope: fc.constantFrom("system", "user", "all"),
    equipment: fc.integer({ min: 1, max: 3 }),
    tags: fc.integer({ min: 1, max: 3 }),
    pageSize: fc.constantFrom(2, 20),
  },
  { requiredKeys: ["pageSize"] },
);
const pick = fc.nat({ max: 20 });
const written = {
  who,
  isSystem: fc.boolean(),
  name: fc.nat({ max: 12 }),
  pick,
  equipment: ids,
  tags: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
};
const step: fc.Arbitrary<{ server: number; step: Step }> = fc.record({
  server: fc.nat({ max: 1 }),
  step: fc.oneof(
    fc.record({ kind: fc.constantFrom("create" as const, "change" as const), ...written }),
    fc.record({ kind: fc.constant("remove" as const), who, pick }),
    fc.record({ kind: fc.constant("rename" as const), pick, name: fc.nat({ max: 50 }) }),
    fc.record({ kind: fc.constant("read" as const), who, query }),
    fc.record({ kind: fc.constant("read" as const), who, query }),
  ),
});

test("lists from the caches of two processes always equal a model of what was written", async () => {
  const stopReading = readAllTheWhile();
  await fc
    .assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const model: Model = { exercises: [], equipmentNames: ["first", "second", "third"] };
        try {
          for (const { server, step: taken } of steps) {
            if (taken.kind === "read") await compare(model, taken.who, taken.query);
            else await writeAndLook(model, server, taken);
          }
          for (const reader of ["ada", "bob", "root"] as const)
            await compare(model, reader, { pageSize: 20 });
        } finally {
          await clear(model);
        }
      }),
      { numRuns: 80 },
    )
    .finally(stopReading);
}, 60_000);

/** Writes in one process, and asks the other the moment that it is answered. */
async function writeAndLook(model: Model, at: number, taken: Exclude<Step, { kind: "read" }>) {
  await perform(model, servers[at] as ServingProcess, taken);
  const reader = "who" in taken && taken.who !== "root" ? taken.who : "ada";
  expect(await listed(servers[1 - at] as ServingProcess, reader, { pageSize: 20 })).toEqual(
    expectedPage(model, reader, { pageSize: 20 }),
  );
}

/**
 * People who read everybody's lists in both processes all the while, so that memories fill at every
 * moment.
 */
function readAllTheWhile(): () => Promise<void> {
  let isOver = false;
  const lanes = servers.flatMap((server) =>
    (["ada", "bob", "ada", "bob"] as const).map(async (reader) => {
      while (!isOver) await listed(server, reader, { pageSize: 20 });
    }),
  );
  return async () => {
    isOver = true;
    await Promise.all(lanes);
  };
}

async function perform(
  model: Model,
  server: ServingProcess,
  taken: Exclude<Step, { kind: "read" }>,
) {
  if (taken.kind === "rename") return rename(model, server, taken);
  const target = model.exercises[taken.pick % Math.max(1, model.exercises.length)];
  if (taken.kind === "remove") return remove(model, server, taken.who, target);
  return write(model, server, taken, target);
}

async function remove(
  model: Model,
  server: ServingProcess,
  remover: Who,
  target: Known | undefined,
) {
  const answer = await server.ask("DELETE", `${EXERCISES}/${target?.id ?? crypto.randomUUID()}`, {
    as: cookies[remover],
  });
  const isTheirs =
    target !== undefined && (target.owner === remover || (!target.owner && remover === "root"));
  expect(answer.status === 204).toBe(isTheirs);
  if (isTheirs) model.exercises = model.exercises.filter((known) => known !== target);
}

async function write(
  model: Model,
  server: ServingProcess,
  taken: Written,
  target: Known | undefined,
) {
  const owner = taken.isSystem ? undefined : taken.who;
  const as = cookies[taken.isSystem ? "root" : taken.who];
  const place = taken.isSystem ? "system" : "user";
  const name = `Name ${String.fromCharCode(97 + taken.name)}${taken.name}`;
  const kept = {
    owner,
    name,
    equipment: taken.equipment.toSorted(),
    tags: taken.isSystem ? taken.tags.toSorted() : [],
  };
  const isTaken = (except?: Known) =>
    model.exercises.some(
      (known) => known !== except && known.owner === owner && known.name === name,
    );
  const body = {
    name,
    primaryMuscles: [1],
    equipment: taken.equipment,
    ...(taken.isSystem ? { tags: taken.tags } : {}),
  };
  if (taken.kind === "create") {
    const all = {
      ...body,
      difficultyLevel: "beginner",
      category: "strength",
      ...(taken.isSystem ? { instructions: "Do" } : {}),
    };
    const answer = await server.ask("POST", `${EXERCISES}/${place}`, { as, body: all });
    expect(answer.status).toBe(isTaken() ? 409 : 201);
    if (answer.status === 201)
      model.exercises.push({ id: ((await answer.json()) as { id: string }).id, ...kept });
  } else if (target) {
    const answer = await server.ask("PATCH", `${EXERCISES}/${place}/${target.id}`, { as, body });
    const ifThere = isTaken(target) ? 409 : 200;
    expect(answer.status).toBe(target.owner === owner ? ifThere : 404);
    if (answer.status === 200) Object.assign(target, kept);
  }
}

async function rename(model: Model, server: ServingProcess, taken: { pick: number; name: number }) {
  const at = taken.pick % 3;
  const name = `kind ${taken.name}`;
  const answer = await server.ask("PATCH", `/api/v1/catalogs/equipment/${at + 1}`, {
    as: cookies.root,
    body: { name },
  });
  const isTaken = model.equipmentNames.some((known, other) => other !== at && known === name);
  expect(answer.status).toBe(isTaken ? 409 : 200);
  if (!isTaken) model.equipmentNames[at] = name;
}

/** Asks both processes, twice, and holds them to the model. */
async function compare(model: Model, reader: Who, asked: Query) {
  const expected = expectedPage(model, reader, asked);
  for (const server of [...servers, ...servers])
    expect(await listed(server, reader, asked)).toEqual(expected);
}

function expectedPage(
  model: Model,
  reader: Who,
  { scope = "all", equipment, tags, pageSize }: Query,
) {
  const matching = model.exercises
    .filter(({ owner }) => (scope !== "user" && !owner) || (scope !== "system" && owner === reader))
    .filter((known) => equipment === undefined || known.equipment.includes(equipment))
    .filter((known) => tags === undefined || known.tags.includes(tags))
    .sort((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
  return {
    total: matching.length,
    items: matching.slice(0, pageSize).map(({ id, name, equipment: linked }) => ({
      id,
      name,
      equipment: linked.map((entry) => model.equipmentNames[entry - 1] as string),
    })),
  };
}

async function listed(server: ServingProcess, reader: Who, asked: Query) {
  const search = new URLSearchParams(
    Object.entries(asked).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const answer = await server.ask("GET", `${EXERCISES}?${search}`, { as: cookies[reader] });
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
  for (const [at, name] of ["first", "second", "third"].entries()) {
    await server.ask("PATCH", `/api/v1/catalogs/equipment/${at + 1}`, {
      as: cookies.root,
      body: { name },
    });
  }
}
