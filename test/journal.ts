import { mulberry32 } from "#bench/figures/statistics.ts";
import { signUpAndIn } from "#bench/testbed/accounts.ts";
import type { Pool } from "#db/client.ts";

/** One request: what it was, what became of it (0: no answer), and when. */
export type Entry = {
  /** As the proxy and the workers log it. */
  requestId: string;
  kind: "write" | "read" | "list";
  name: string;
  status: number;
  code: string;
  startedAtMs: number;
  endedAtMs: number;
};

type Acknowledged = { id: string; name: string; as: string };

export type Load = {
  entries: Entry[];
  /** Sends no more, and waits for every answer. */
  stop(): Promise<void>;
};

const TICK_MS = 10;
/** Nobody waits longer: the budget's client. */
const PATIENCE_MS = 30_000;

/** Signs up `count` people through the proxy; their cookie headers. */
export const signUpPeople = (unix: string, count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, () =>
      signUpAndIn(unix, `journal-${crypto.randomUUID()}@example.com`),
    ),
  );

/**
 * How long the machine is tried before a load, and what share of what it carried then it is asked
 * for.
 */
const TRIAL_MS = 2000;
const AFFORDABLE_SHARE = 0.25;
const MIN_RATE = 20;

/**
 * Requests a second that this machine carries with room to spare, `maxRate` at most: others may use
 * it, too.
 */
export async function affordableRate(
  unix: string,
  people: string[],
  maxRate: number,
): Promise<number> {
  const until = performance.now() + TRIAL_MS;
  let answered = 0;
  const ask = async (as: string) => {
    while (performance.now() < until) {
      const asked = { method: "POST", headers: { cookie: as, "content-type": "application/json" } };
      const body = JSON.stringify({ name: `trial ${crypto.randomUUID()}`, exercises: [] });
      await fetch("http://localhost/api/v1/routines", { unix, ...asked, body }).then((answer) =>
        answer.text(),
      );
      answered++;
    }
  };
  await Promise.all(people.map(ask));
  const rate = (answered / TRIAL_MS) * 1000 * AFFORDABLE_SHARE;
  return Math.round(Math.min(maxRate, Math.max(MIN_RATE, rate)));
}

/**
 * A constant `rate` of requests a second, whatever became of those before: of ten, four write a
 * routine under a name of its own, three read one whose writing was acknowledged, three list the
 * catalog. What is done when depends on `seed` alone.
 */
export function startLoad({
  unix,
  people,
  rate,
  seed,
}: {
  unix: string;
  people: string[];
  rate: number;
  seed: number;
}): Load {
  const random = mulberry32(seed);
  const entries: Entry[] = [];
  const acknowledged: Acknowledged[] = [];
  const running = new Set<Promise<void>>();
  const startedAtMs = performance.now();
  let sent = 0;

  const ask = async (as: string, requestId: string, path: string, body?: unknown) => {
    const answer = await fetch(`http://localhost/api/v1${path}`, {
      unix,
      method: body === undefined ? "GET" : "POST",
      headers: { cookie: as, "content-type": "application/json", "x-request-id": requestId },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith("{") ? JSON.parse(text) : {} };
  };
  const write = async (as: string, entry: Entry) => {
    const { status, json } = await ask(as, entry.requestId, "/routines", {
      name: entry.name,
      exercises: [],
    });
    if (status === 201) acknowledged.push({ id: json.id, name: entry.name, as });
    return { status, code: json.code ?? "" };
  };
  const read = async (entry: Entry, { id, name, as }: Acknowledged) => {
    entry.name = name;
    const { status, json } = await ask(as, entry.requestId, `/routines/${id}`);
    // What is read is what was written.
    return status === 200 && json.name !== name
      ? { status: 0, code: "something else" }
      : { status, code: json.code ?? "" };
  };
  const list = async (as: string, entry: Entry) => {
    const { status, json } = await ask(as, entry.requestId, "/exercises?pageSize=10");
    return { status, code: json.code ?? "" };
  };
  const send = async (at: number) => {
    const as = people[at % people.length] as string;
    const chance = random();
    const known = acknowledged[Math.floor(random() * acknowledged.length)];
    const kind = chance < 0.4 ? "write" : chance < 0.7 && known ? "read" : "list";
    const entry: Entry = {
      ...{ requestId: `journal-${seed}-${at}`, kind, name: `${seed}-${at}`, status: 0, code: "" },
      ...{ startedAtMs: performance.now(), endedAtMs: 0 },
    };
    entries.push(entry);
    const asked =
      kind === "write"
        ? write(as, entry)
        : kind === "read" && known
          ? read(entry, known)
          : list(as, entry);
    const failed = (error: unknown) => ({
      status: 0,
      code: (error as { code?: string }).code ?? String(error),
    });
    Object.assign(entry, await asked.catch(failed), { endedAtMs: performance.now() });
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAtMs) * rate) / 1000; sent < due; ) {
      const one = send(sent++).finally(() => running.delete(one));
      running.add(one);
    }
  }, TICK_MS);
  return {
    entries,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

export const failuresOf = ({ entries }: Load): Entry[] =>
  entries.filter(({ status }) => status === 0 || status >= 400);

/**
 * Compares what was acknowledged with what is there, both ways: names that are lost, and that are
 * there twice.
 */
export async function compareJournal(
  { entries }: Load,
  { sql }: Pool,
): Promise<{ lost: string[]; doubled: string[] }> {
  const rows = await sql<
    { name: string; count: number }[]
  >`select name, count(*)::int as count from routines group by name`;
  const there = new Map(rows.map(({ name, count }) => [name, count]));
  const written = entries.filter(({ kind }) => kind === "write");
  return {
    lost: written
      .filter(({ name, status }) => status === 201 && !there.has(name))
      .map(({ name }) => name),
    doubled: written.filter(({ name }) => (there.get(name) ?? 0) > 1).map(({ name }) => name),
  };
}

/** One line about a load: how many of what came to what. */
export function summaryOf({ entries }: Load): string {
  const counts = new Map<string, number>();
  for (const { kind, status, code } of entries) {
    const key = `${kind} ${status}${code && ` ${code}`}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(", ");
}
