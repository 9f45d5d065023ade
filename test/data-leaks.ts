import { createRandom, type Random } from "#seeds/demo/random.ts";
import { renderDocuments } from "#src/exercises/exercises.queries.ts";
import { makeUser, signedIn } from "./fixtures.ts";
import { API } from "./paths.ts";
import { openTwoApps, type TwoApps } from "./two-apps.ts";

const PEOPLE = 6;
const CATALOG_SIZE = 400;
const REQUESTS_AT_ONCE = 30;
/**
 * Few words and names, so that people ask each other's questions. No exercise of the catalog has
 * them.
 */
const WORDS = ["zq", "yx"];

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape are looked into.
type Content = any;
type Person = {
  id: string;
  as: string;
  /**
   * Exercises that they had at the beginning of this round, and how many creations they have begun
   * since.
   */
  own: Set<string>;
  begun: number;
  /** What they were sent, by its ETag, and the last ETag of each path. */
  received: Map<string, Content>;
  etags: Map<string, string>;
};
type Found = { answers: number; foreign: string[]; unexpected: string[] };

/**
 * Asks two instances of the application, whose caches are small, for at least `wanted` answers:
 * people create and delete exercises of the same names, the catalog changes, and all ask the same
 * questions at once. Gives every answer that showed somebody what is another's, and every one of an
 * unexpected status.
 */
export async function findDataLeaks(wanted: number, seed: number): Promise<Found> {
  const apps = await openTwoApps({ CATALOG_MEMORY_MIB: "1" });
  try {
    const found: Found = { answers: 0, foreign: [], unexpected: [] };
    await askAround(apps, createRandom(seed, 0), found, wanted);
    return found;
  } finally {
    await apps.close();
  }
}

async function askAround(
  { database, api, ask }: TwoApps,
  random: Random,
  found: Found,
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
    found.answers++;
    if (answer.status === 404) return;
    const tag = answer.headers.get("etag") ?? path;
    const content = answer.status === 304 ? person.received.get(tag) : JSON.parse(text);
    person.received.set(tag, content);
    person.etags.set(path, tag);
    if (answer.status !== 200 && answer.status !== 304)
      found.unexpected.push(`${path}: ${answer.status} ${text}`);
    else if (isForeign(person, path, content)) found.foreign.push(`${path}: ${text}`);
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
      found.unexpected.push(`${method} ${path}: ${answer.status} ${text}`);
    return answer.status < 300 && text !== "" ? JSON.parse(text) : undefined;
  };
  const create = async (person: Person) => {
    person.begun++;
    const name = `${random.pick(WORDS)} ${random.whole(0, 2)}`;
    const body = {
      name,
      primaryMuscles: [1],
      difficultyLevel: "beginner",
      category: "strength",
      equipment: [1],
    };
    const made = await write(person, "POST", `${API}/exercises/user`, [201, 409], { body });
    if (made) ids.push(made.id);
  };
  const remove = async (person: Person) => {
    if (person.own.size > 0)
      await write(person, "DELETE", `${API}/exercises/${random.pick([...person.own])}`, [204, 404]);
  };
  /** The same key and body for everyone: kept answers are as personal as the rest. */
  const repeat = async (person: Person) => {
    const name = `Routine ${random.whole(0, 2)}`;
    const sent = {
      body: { name, exercises: [] },
      headers: { "idempotency-key": name.replace(" ", "-") },
    };
    const routine = await write(person, "POST", `${API}/routines`, [201, 409], sent);
    found.answers++;
    if (routine && routine.ownerId !== person.id)
      found.foreign.push(`${name}: ${JSON.stringify(routine)}`);
  };
  const changeCatalog = () =>
    write(root, "PATCH", `${API}/catalogs/equipment/1`, [200], {
      body: { name: `kind ${random.bits()}` },
    });
  /** Most own nothing at the beginning of a round, and each instance knows it. */
  const begin = async (person: Person) => {
    const list = async () => {
      const page: Content = await (await send(person, "GET", `${API}/exercises?scope=user`)).json();
      person.own = new Set(page.items.map(({ id }: Content) => id));
    };
    await list();
    if (random.happens(0.7))
      for (const id of person.own) await write(person, "DELETE", `${API}/exercises/${id}`, [204]);
    await list();
    person.begun = 0;
  };

  const ids: string[] = [];
  while (found.answers < wanted) {
    if (random.happens(0.7)) await changeCatalog();
    await Promise.all(people.map(begin));
    for (const app of ask) {
      await Promise.all(
        people.map(async ({ as }) => app("GET", `${API}/exercises`, { cookie: as })),
      );
    }
    const questions = questionsOf(random, ids.slice(-20));
    const asked = [1, 2].map(() => ({
      path: random.pick(questions),
      afterMs: random.whole(0, 12),
    }));
    const act = async () => {
      const person = random.pick(people);
      const ask = async () => {
        const { path, afterMs } = random.pick(asked);
        await Bun.sleep(afterMs + random.whole(0, 1));
        await read(person, path);
      };
      if (random.happens(0.01)) await changeCatalog();
      // Those who write ask meanwhile, as the others do.
      else if (random.happens(0.1))
        await Promise.all([random.pick([create, create, remove, repeat])(person), ask()]);
      else await ask();
    };
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, act));
  }
}

type Sent = { body?: unknown; headers?: Record<string, string> };

async function populate({ database, api }: Pick<TwoApps, "database" | "api">) {
  const { sql } = database.pool;
  for (const table of ["muscle_groups", "equipment", "exercise_tags"]) {
    await sql`insert into ${sql(table)} (name) values ('chest'), ('legs')`;
  }
  const made = await sql<{ id: string }[]>`
    insert into exercises (name, slug, category, difficulty)
    select 'Press ' || at, 'press-' || at, 'strength', 'beginner' from generate_series(1, ${CATALOG_SIZE}) as at
    returning id`;
  await renderDocuments(
    database.pool,
    made.map(({ id }) => id),
  );
  const enter = async (roleSlug: "application-access" | "superuser"): Promise<Person> => {
    const { id } = await makeUser(api, { roleSlug });
    return {
      id,
      as: await signedIn(api, { id }),
      own: new Set(),
      begun: 0,
      received: new Map(),
      etags: new Map(),
    };
  };
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, () => enter("application-access")),
  );
  return { people, root: await enter("superuser") };
}

/** Every kind of question whose answer is cached; `ids` are exercises of anyone's. */
function questionsOf(random: Random, ids: string[]): string[] {
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

/**
 * Whether `content`, the answer to `path`, shows what is neither the catalog's nor that person's.
 */
function isForeign({ id, own, begun }: Person, path: string, content: Content): boolean {
  if (path.endsWith("/me")) return content.id !== id;
  if (path.includes("/facets")) {
    const ofCatalog = path.includes("?") ? 0 : CATALOG_SIZE;
    return content.total > ofCatalog + own.size + begun;
  }
  const shown: Content[] = content.items ?? [content];
  return shown.some(({ createdBy }) => createdBy !== null && createdBy !== id);
}
