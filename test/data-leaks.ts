import { createRandom, type Random } from "#seeds/demo/random.ts";
import { renderDocuments } from "#src/exercises/exercises.queries.ts";
import { makeUser, signedIn } from "./fixtures.ts";
import { API } from "./paths.ts";
import { openTwoApps, type TwoApps } from "./two-apps.ts";

const PEOPLE = 6;
const CATALOG_SIZE = 400;
const CONCURRENT_REQUESTS = 30;
/** Few words, so that users send the same requests. No exercise of the catalog contains them. */
const WORDS = ["zq", "yx"];

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape.
type Content = any;
type Person = {
  id: string;
  as: string;
  /** Own exercises at the start of the round, and the number of exercises created since. */
  own: Set<string>;
  created: number;
  /** Received bodies by ETag, and the last ETag of each path. */
  received: Map<string, Content>;
  etags: Map<string, string>;
};
type Report = { answers: number; leaks: string[]; unexpected: string[] };

/**
 * Sends at least `wanted` reads to two instances of the application with small caches, while users
 * create and delete exercises with the same names and the catalog changes. Reports every response
 * that contains another user's data or has an unexpected status.
 */
export async function findDataLeaks(wanted: number, seed: number): Promise<Report> {
  const apps = await openTwoApps({ CATALOG_MEMORY_MIB: "1" });
  try {
    const report: Report = { answers: 0, leaks: [], unexpected: [] };
    await sendRequests(apps, createRandom(seed, 0), report, wanted);
    return report;
  } finally {
    await apps.close();
  }
}

async function sendRequests(
  { database, api, ask }: TwoApps,
  random: Random,
  report: Report,
  wanted: number,
) {
  const { people, root } = await populate({ database, api });
  const send = (person: Person, method: string, path: string, { body, headers = {} }: Sent = {}) =>
    random.pick(ask)(method, path, { cookie: person.as, ...headers }, body);

  const read = async (person: Person, path: string) => {
    const etag = random.happens(0.5) ? person.etags.get(path) : undefined;
    const answer = await send(
      person,
      "GET",
      path,
      etag ? { headers: { "if-none-match": etag } } : {},
    );
    const text = await answer.text();
    report.answers++;
    if (answer.status === 404) return;
    const tag = answer.headers.get("etag") ?? path;
    const content = answer.status === 304 ? person.received.get(tag) : JSON.parse(text);
    person.received.set(tag, content);
    person.etags.set(path, tag);
    if (answer.status !== 200 && answer.status !== 304)
      report.unexpected.push(`${path}: ${answer.status} ${text}`);
    else if (isLeak(person, path, content)) report.leaks.push(`${path}: ${text}`);
  };
  const write = async (
    person: Person,
    method: string,
    path: string,
    expected: number[],
    sent?: Sent,
  ) => {
    const answer = await send(person, method, path, sent);
    const text = await answer.text();
    if (!expected.includes(answer.status))
      report.unexpected.push(`${method} ${path}: ${answer.status} ${text}`);
    return answer.status < 300 && text !== "" ? JSON.parse(text) : undefined;
  };
  const create = async (person: Person) => {
    person.created++;
    const name = `${random.pick(WORDS)} ${random.whole(0, 2)}`;
    const body = {
      name,
      primaryMuscles: [1],
      difficultyLevel: "beginner",
      category: "strength",
      equipment: [1],
    };
    const created = await write(person, "POST", `${API}/exercises/user`, [201, 409], { body });
    if (created) ids.push(created.id);
  };
  const remove = async (person: Person) => {
    if (person.own.size > 0)
      await write(person, "DELETE", `${API}/exercises/${random.pick([...person.own])}`, [204, 404]);
  };
  /** All users send the same key and body: stored responses must not be shared either. */
  const repeat = async (person: Person) => {
    const name = `Routine ${random.whole(0, 2)}`;
    const sent = {
      body: { name, exercises: [] },
      headers: { "idempotency-key": name.replace(" ", "-") },
    };
    const routine = await write(person, "POST", `${API}/routines`, [201, 409], sent);
    report.answers++;
    if (routine && routine.ownerId !== person.id)
      report.leaks.push(`${name}: ${JSON.stringify(routine)}`);
  };
  const changeCatalog = () =>
    write(root, "PATCH", `${API}/catalogs/equipment/1`, [200], {
      body: { name: `kind ${random.bits()}` },
    });
  /** Starts a round: most users own nothing, and each instance has cached that. */
  const startRound = async (person: Person) => {
    const list = async () => {
      const page: Content = await (await send(person, "GET", `${API}/exercises?scope=user`)).json();
      person.own = new Set(page.items.map(({ id }: Content) => id));
    };
    await list();
    if (random.happens(0.7))
      for (const id of person.own) await write(person, "DELETE", `${API}/exercises/${id}`, [204]);
    await list();
    person.created = 0;
  };

  const ids: string[] = [];
  while (report.answers < wanted) {
    if (random.happens(0.7)) await changeCatalog();
    await Promise.all(people.map(startRound));
    for (const app of ask) {
      await Promise.all(
        people.map(async ({ as }) => app("GET", `${API}/exercises`, { cookie: as })),
      );
    }
    const paths = readPaths(random, ids.slice(-20));
    const choices = [1, 2].map(() => ({
      path: random.pick(paths),
      afterMs: random.whole(0, 12),
    }));
    const act = async () => {
      const person = random.pick(people);
      const ask = async () => {
        const { path, afterMs } = random.pick(choices);
        await Bun.sleep(afterMs + random.whole(0, 1));
        await read(person, path);
      };
      if (random.happens(0.01)) await changeCatalog();
      // Users read while they write.
      else if (random.happens(0.1))
        await Promise.all([random.pick([create, create, remove, repeat])(person), ask()]);
      else await ask();
    };
    await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, act));
  }
}

type Sent = { body?: unknown; headers?: Record<string, string> };

async function populate({ database, api }: Pick<TwoApps, "database" | "api">) {
  const { sql } = database.pool;
  for (const table of ["muscle_groups", "equipment", "exercise_tags"]) {
    await sql`insert into ${sql(table)} (name) values ('chest'), ('legs')`;
  }
  const exercises = await sql<{ id: string }[]>`
    insert into exercises (name, slug, category, difficulty)
    select 'Press ' || n, 'press-' || n, 'strength', 'beginner' from generate_series(1, ${CATALOG_SIZE}) as n
    returning id`;
  await renderDocuments(
    database.pool,
    exercises.map(({ id }) => id),
  );
  const makePerson = async (roleSlug: "application-access" | "superuser"): Promise<Person> => {
    const { id } = await makeUser(api, { roleSlug });
    return {
      id,
      as: await signedIn(api, { id }),
      own: new Set(),
      created: 0,
      received: new Map(),
      etags: new Map(),
    };
  };
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, () => makePerson("application-access")),
  );
  return { people, root: await makePerson("superuser") };
}

/** Paths of all cached reads; `ids` are exercises of any user. */
function readPaths(random: Random, ids: string[]): string[] {
  const word = random.pick(WORDS);
  const size = `pageSize=${random.pick([1, 5, 20, 50])}`;
  return [
    `exercises?searchString=${word}`,
    `exercises?searchString=${word}&${size}`,
    `exercises?${size}`,
    `exercises?scope=user&${size}`,
    `exercises?equipment=1&${size}`,
    "exercises/facets",
    `exercises/facets?searchString=${word}`,
    "exercises/facets?scope=user",
    `exercises/criteria?name=${word}%201`,
    `exercises/${random.pick([...ids, Bun.randomUUIDv7()])}`,
    "access/me",
  ].map((path) => `${API}/${path}`);
}

/** Whether the response contains data that belongs neither to the catalog nor to the user. */
function isLeak({ id, own, created }: Person, path: string, content: Content): boolean {
  if (path.endsWith("/me")) return content.id !== id;
  if (path.includes("/facets")) {
    const ofCatalog = path.includes("?") ? 0 : CATALOG_SIZE;
    return content.total > ofCatalog + own.size + created;
  }
  const items: Content[] = content.items ?? [content];
  return items.some(({ createdBy }) => createdBy !== null && createdBy !== id);
}
