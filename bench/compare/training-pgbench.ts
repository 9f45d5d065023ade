import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { runProgram } from "#lib/processes/programs.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { ratioOfPairs } from "../figures/statistics.ts";
import { pinned } from "../hosts/pinning.ts";
import { closedLoop } from "../load/closed-loop.ts";
import type { Athlete, TrainingTestBed } from "../testbed/training-testbed.ts";
import { OPERATIONS, SET } from "./training-operations.ts";

const CONNECTIONS = 8;
/** Exercises that each athlete's workout gets for one run: an exercise takes 500 sets. */
const ENTRIES = 200;
/** Sets that a client of pgbench logs in an exercise before it takes the next. */
const SETS_PER_ENTRY = 400;

/** Where sets go in one run: exercises of one workout for each athlete, as text. */
type Places = { person: Athlete; entryIds: string[] }[];

/**
 * Sets logged per second by the application, over those of pgbench that sends the same statements
 * with the same parameters over the same kind of socket, server or pgbench on the same core and
 * PostgreSQL on another. Each run logs into exercises that have no sets yet.
 */
export async function compareWithPgbench(
  testBed: TrainingTestBed,
  { pairs, seconds }: { pairs: number; seconds: number },
): Promise<string> {
  if (!Bun.which("pgbench")) return "not measured: pgbench is not on the PATH";
  const measured: { a: number; b: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const isOursFirst = Math.random() < 0.5;
    const first = isOursFirst
      ? await logByHttp(testBed, seconds)
      : await logByPgbench(testBed, seconds);
    const second = isOursFirst
      ? await logByPgbench(testBed, seconds)
      : await logByHttp(testBed, seconds);
    measured.push(isOursFirst ? { a: first, b: second } : { a: second, b: first });
    process.stderr.write(
      `pair ${pair + 1}: ${measured.at(-1)?.a.toFixed(0)} and ${measured.at(-1)?.b.toFixed(0)} a second\n`,
    );
  }
  const { median, low, high } = ratioOfPairs(measured);
  return `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}], ${pairs} pairs of ${seconds} s, ${CONNECTIONS} connections`;
}

async function makePlaces({ db, people, exerciseId }: TrainingTestBed): Promise<Places> {
  const places: Places = [];
  for (const person of people.slice(0, CONNECTIONS)) {
    const entries = await db.sql<{ id: string }[]>`
      with workout as (
        insert into workouts (user_id, status, started_at, time_zone)
        values (${person.userId}, 'in_progress', now(), 'UTC') returning id
      )
      insert into workout_exercises (workout_id, position, exercise_id, exercise_name, mode)
      select workout.id, nth, ${exerciseId}, 'Barbell Bench Press', 'reps' from workout, generate_series(1, ${ENTRIES}) as nth
      returning id, workout_id as "workoutId"`;
    const workoutId = (entries[0] as unknown as { workoutId: string }).workoutId;
    places.push({ person: { ...person, workoutId }, entryIds: entries.map(({ id }) => id) });
  }
  return places;
}

async function logByHttp(testBed: TrainingTestBed, seconds: number): Promise<number> {
  const places = await makePlaces(testBed);
  const body = JSON.stringify(SET);
  // Athletes in turn, so that those in flight at a time are different ones.
  const requests = Array.from({ length: ENTRIES }, (_, nth) =>
    places.map(({ person, entryIds }) => {
      const path = `/api/v1/workouts/${person.workoutId}/exercises/${entryIds[nth]}/sets`;
      const headers = `Host: localhost\r\nCookie: ${person.cookie}\r\nContent-Type: application/json`;
      return `POST ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    }),
  ).flat();
  await closedLoop(testBed.server.socketPath, requests, CONNECTIONS, 1000);
  const load = await closedLoop(testBed.server.socketPath, requests, CONNECTIONS, seconds * 1000);
  if (load.failures > 0)
    throw new Error(`${load.failures} of ${load.requests} answers were failures`);
  return (load.requests / load.elapsedMs) * 1000;
}

async function logByPgbench(testBed: TrainingTestBed, seconds: number): Promise<number> {
  const places = await makePlaces(testBed);
  await testBed.db.sql`drop table if exists bench_places`;
  await testBed.db
    .sql`create table bench_places (client int, nth int, workout text, entry text, athlete text, primary key (client, nth))`;
  for (const [client, { person, entryIds }] of places.entries()) {
    await testBed.db
      .sql`insert into bench_places select ${client}, nth, ${person.workoutId}, entry, ${person.userId}
      from unnest(${entryIds}::text[]) with ordinality as listed (entry, nth)`;
  }
  const dir = temporaryDirectory("pgbench");
  try {
    const { script, constants } = await scriptOf(testBed, places[0] as Places[number]);
    writeFileSync(join(dir, "log-a-set.sql"), script);
    const url = new URL(testBed.url);
    const target = [
      "-h",
      url.searchParams.get("host") as string,
      "-U",
      url.username,
      url.pathname.slice(1),
    ];
    const variables = Object.entries(constants).flatMap(([name, value]) => [
      "-D",
      `${name}=${value}`,
    ]);
    const options = [
      "-n",
      "-M",
      "prepared",
      "-c",
      String(CONNECTIONS),
      "-T",
      String(seconds),
      ...variables,
    ];
    const pgbench = [
      ...pinned("server"),
      "pgbench",
      ...options,
      "-f",
      join(dir, "log-a-set.sql"),
      ...target,
    ];
    const run = await runProgram(pgbench);
    const perSecond = Number(/tps = ([\d.]+)/.exec(run.stdout)?.[1]);
    if (run.code !== 0 || !(perSecond > 0)) throw new Error(`pgbench: ${run.stderr}`);
    return perSecond;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * What the application sends to log one set, as a script for pgbench; what is the same in all sets
 * is in `constants`.
 */
async function scriptOf(testBed: TrainingTestBed, { person, entryIds }: Places[number]) {
  const entryId = entryIds[0] as string;
  const sent: { text: string; parameters: unknown[] }[] = [];
  const db = openPool(testBed.url, {
    size: 1,
    prepare: true,
    onStatement: (text, parameters) => void sent.push({ text, parameters }),
  });
  await db.sql`select 1`;
  sent.length = 0;
  await OPERATIONS[0]?.run(db, testBed, { ...person, entryId });
  await db.close();
  const known: Record<string, string> = {
    [person.workoutId]: ":workout",
    [entryId]: ":entry",
    [person.userId]: ":athlete",
  };
  const constants: Record<string, string> = { nth: "0", remaining: "0" };
  const constant = (name: string, value: string) => {
    constants[name] = value;
    return `:${name}`;
  };
  const statements = sent.map(({ text, parameters }, at) => {
    const line = text.replaceAll(/\s+/g, " ").trim();
    // pgbench takes what follows a colon for a variable in quotes too.
    const freed = line.replaceAll(/'[^']*[^:']:[A-Za-z][^']*'/g, (quoted, from: number) =>
      constant(`s${at}q${from}`, quoted.slice(1, -1)),
    );
    return freed.replaceAll(/\$(\d+)/g, (_, number) => {
      const value = String(parameters[Number(number) - 1]);
      return known[value] ?? constant(`s${at}p${number}`, value);
    });
  });
  const next =
    "select workout, entry, athlete from bench_places where client = :client_id and nth = :nth \\gset";
  const script = [
    ...[
      "\\if :remaining <= 0",
      "\\set nth :nth + 1",
      `\\set remaining ${SETS_PER_ENTRY}`,
      next,
      "\\endif",
    ],
    ...statements.map((statement) => `${statement};`),
    "\\set remaining :remaining - 1",
  ];
  return { script: `${script.join("\n")}\n`, constants };
}
