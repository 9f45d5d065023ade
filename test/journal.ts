import { mulberry32 } from "#bench/figures/statistics.ts";
import { signUpAndIn } from "#bench/testbed/accounts.ts";
import type { Pool } from "#db/client.ts";

/** One request and its outcome. The status is 0 if there was no response. */
export type Entry = {
  /** The id in the logs of the proxy and the workers. */
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
  /** Stops sending, and waits for all responses. */
  stop(): Promise<void>;
};

const TICK_MS = 10;
/** The timeout of a request. */
const TIMEOUT_MS = 30_000;

/** Signs up `count` users through the proxy, and returns their cookie headers. */
export const signUpPeople = (unix: string, count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, () =>
      signUpAndIn(unix, `journal-${crypto.randomUUID()}@example.com`),
    ),
  );

/** The duration of the capacity trial before a load, and the share of that capacity to use. */
const TRIAL_MS = 2000;
const AFFORDABLE_SHARE = 0.25;
const MIN_RATE = 20;

/** A rate of requests per second well below the capacity of this machine, at most `maxRate`. */
export async function affordableRate(
  unix: string,
  people: string[],
  maxRate: number,
): Promise<number> {
  const until = performance.now() + TRIAL_MS;
  let answered = 0;
  const ask = async (as: string) => {
    while (performance.now() < until) {
      const options = {
        method: "POST",
        headers: { cookie: as, "content-type": "application/json" },
      };
      const body = JSON.stringify({ name: `trial ${crypto.randomUUID()}`, exercises: [] });
      await fetch("http://localhost/api/v1/routines", { unix, ...options, body }).then((answer) =>
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
 * Sends `rate` requests per second, independent of earlier responses (open loop): 40 % create a
 * routine with a unique name, 30 % read an acknowledged one, 30 % list the catalog. The sequence
 * depends on `seed` only.
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
      signal: AbortSignal.timeout(TIMEOUT_MS),
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
    return status === 200 && json.name !== name
      ? { status: 0, code: "wrong name" }
      : { status, code: json.code ?? "" };
  };
  const list = async (as: string, entry: Entry) => {
    const { status, json } = await ask(as, entry.requestId, "/exercises?pageSize=10");
    return { status, code: json.code ?? "" };
  };
  const send = async (index: number) => {
    const as = people[index % people.length] as string;
    const chance = random();
    const existing = acknowledged[Math.floor(random() * acknowledged.length)];
    const kind = chance < 0.4 ? "write" : chance < 0.7 && existing ? "read" : "list";
    const entry: Entry = {
      requestId: `journal-${seed}-${index}`,
      kind,
      name: `${seed}-${index}`,
      status: 0,
      code: "",
      startedAtMs: performance.now(),
      endedAtMs: 0,
    };
    entries.push(entry);
    const response =
      kind === "write"
        ? write(as, entry)
        : kind === "read" && existing
          ? read(entry, existing)
          : list(as, entry);
    const failed = (error: unknown) => ({
      status: 0,
      code: (error as { code?: string }).code ?? String(error),
    });
    Object.assign(entry, await response.catch(failed), { endedAtMs: performance.now() });
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAtMs) * rate) / 1000; sent < due; ) {
      const request = send(sent++).finally(() => running.delete(request));
      running.add(request);
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

/** Compares the acknowledged writes with the database: names that are lost or stored twice. */
export async function compareJournal(
  { entries }: Load,
  { sql }: Pool,
): Promise<{ lost: string[]; doubled: string[] }> {
  const rows = await sql<
    { name: string; count: number }[]
  >`select name, count(*)::int as count from routines group by name`;
  const stored = new Map(rows.map(({ name, count }) => [name, count]));
  const written = entries.filter(({ kind }) => kind === "write");
  return {
    lost: written
      .filter(({ name, status }) => status === 201 && !stored.has(name))
      .map(({ name }) => name),
    doubled: written.filter(({ name }) => (stored.get(name) ?? 0) > 1).map(({ name }) => name),
  };
}

/** One line with the number of requests per kind and outcome. */
export function summaryOf({ entries }: Load): string {
  const counts = new Map<string, number>();
  for (const { kind, status, code } of entries) {
    const key = `${kind} ${status}${code && ` ${code}`}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([outcome, count]) => `${count} × ${outcome}`).join(", ");
}
