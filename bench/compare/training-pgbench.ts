import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { runProgram } from "#lib/processes/programs.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText, ratioOfPairs } from "../figures/statistics.ts";
import { pinned } from "../hosts/pinning.ts";
import { closedLoop } from "../load/closed-loop.ts";
import type { Athlete, TrainingTestBed } from "../testbed/training-testbed.ts";
import { OPERATIONS, SET } from "./training-operations.ts";

const CONNECTIONS = 8;
/** Exercises in each athlete's workout in one run; an exercise holds up to 500 sets. */
const ENTRIES = 200;
/** Sets that a pgbench client logs in one exercise before the next. */
const SETS_PER_ENTRY = 400;

/** Where the sets of one run go: the exercises of one workout for each athlete. */
type WorkoutEntries = { athlete: Athlete; entryIds: string[] }[];

/**
 * Compares sets logged a second by the application and by pgbench, which sends the same statements
 * with the same parameters over the same kind of socket. The server or pgbench has one core,
 * PostgreSQL another. Each run logs into new exercises.
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
      `pair ${pair + 1}: ${measured.at(-1)?.a.toFixed(0)} and ${measured.at(-1)?.b.toFixed(0)} per second\n`,
    );
  }
  return `${estimateText(ratioOfPairs(measured))}, ${pairs} pairs of ${seconds} s, ${CONNECTIONS} connections`;
}

async function makeWorkouts({ db, people, exerciseId }: TrainingTestBed): Promise<WorkoutEntries> {
  const workouts: WorkoutEntries = [];
  for (const athlete of people.slice(0, CONNECTIONS)) {
    const entries = await db.sql<{ id: string }[]>`
      with workout as (
        insert into workouts (user_id, status, started_at, time_zone)
        values (${athlete.userId}, 'in_progress', now(), 'UTC') returning id
      )
      insert into workout_exercises (workout_id, position, exercise_id, exercise_name, mode)
      select workout.id, nth, ${exerciseId}, 'Barbell Bench Press', 'reps' from workout, generate_series(1, ${ENTRIES}) as nth
      returning id, workout_id as "workoutId"`;
    const workoutId = (entries[0] as unknown as { workoutId: string }).workoutId;
    workouts.push({ athlete: { ...athlete, workoutId }, entryIds: entries.map(({ id }) => id) });
  }
  return workouts;
}

async function logByHttp(testBed: TrainingTestBed, seconds: number): Promise<number> {
  const workouts = await makeWorkouts(testBed);
  const body = JSON.stringify(SET);
  // Round robin, so that concurrent requests belong to different athletes.
  const requests = Array.from({ length: ENTRIES }, (_, nth) =>
    workouts.map(({ athlete, entryIds }) => {
      const path = `/api/v1/workouts/${athlete.workoutId}/exercises/${entryIds[nth]}/sets`;
      const headers = `Host: localhost\r\nCookie: ${athlete.cookie}\r\nContent-Type: application/json`;
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
  const workouts = await makeWorkouts(testBed);
  await testBed.db.sql`drop table if exists bench_entries`;
  await testBed.db
    .sql`create table bench_entries (client int, nth int, workout text, entry text, athlete text, primary key (client, nth))`;
  for (const [client, { athlete, entryIds }] of workouts.entries()) {
    await testBed.db
      .sql`insert into bench_entries select ${client}, nth, ${athlete.workoutId}, entry, ${athlete.userId}
      from unnest(${entryIds}::text[]) with ordinality as listed (entry, nth)`;
  }
  const dir = temporaryDirectory("pgbench");
  try {
    const { script, constants } = await scriptOf(testBed, workouts[0] as WorkoutEntries[number]);
    writeFileSync(join(dir, "log-a-set.sql"), script);
    const { searchParams, username, pathname } = new URL(testBed.url);
    const options = `-n -M prepared -c ${CONNECTIONS} -T ${seconds} -U ${username}`.split(" ");
    const files = ["-f", join(dir, "log-a-set.sql"), "-h", searchParams.get("host") as string];
    const variables = Object.entries(constants).map(([name, value]) => `--define=${name}=${value}`);
    const pgbench = ["pgbench", ...options, ...files, ...variables, pathname.slice(1)];
    const run = await runProgram([...pinned("server"), ...pgbench]);
    const perSecond = Number(/tps = ([\d.]+)/.exec(run.stdout)?.[1]);
    if (run.code !== 0 || !(perSecond > 0)) throw new Error(`pgbench: ${run.stderr}`);
    return perSecond;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * The statements that the application sends to log one set, as a pgbench script; `constants` are
 * the parameters that do not vary.
 */
async function scriptOf(testBed: TrainingTestBed, { athlete, entryIds }: WorkoutEntries[number]) {
  const entryId = entryIds[0] as string;
  const statementsSent: { text: string; parameters: unknown[] }[] = [];
  const db = openPool(testBed.url, {
    size: 1,
    prepare: true,
    onStatement: (text, parameters) => void statementsSent.push({ text, parameters }),
  });
  await db.sql`select 1`;
  statementsSent.length = 0;
  await OPERATIONS[0]?.run(db, testBed, { ...athlete, entryId });
  await db.close();
  const variables: Record<string, string> = {
    [athlete.workoutId]: ":workout",
    [entryId]: ":entry",
    [athlete.userId]: ":athlete",
  };
  const constants: Record<string, string> = { nth: "0", remaining: "0" };
  const constant = (name: string, value: string) => {
    constants[name] = value;
    return `:${name}`;
  };
  const statements = statementsSent.map(({ text, parameters }, index) => {
    const line = text.replaceAll(/\s+/g, " ").trim();
    // pgbench replaces variables inside quoted text too, so quoted text with a colon becomes a
    // constant.
    const withoutQuotedColons = line.replaceAll(
      /'[^']*[^:']:[A-Za-z][^']*'/g,
      (quoted, from: number) => constant(`s${index}q${from}`, quoted.slice(1, -1)),
    );
    return withoutQuotedColons.replaceAll(/\$(\d+)/g, (_, number) => {
      const value = String(parameters[Number(number) - 1]);
      return variables[value] ?? constant(`s${index}p${number}`, value);
    });
  });
  const script = [
    "\\if :remaining <= 0",
    "\\set nth :nth + 1",
    `\\set remaining ${SETS_PER_ENTRY}`,
    `select workout, entry, athlete from bench_entries
     where client = :client_id and nth = :nth \\gset`.replaceAll(/\s+/g, " "),
    "\\endif",
    ...statements.map((statement) => `${statement};`),
    "\\set remaining :remaining - 1",
  ];
  return { script: `${script.join("\n")}\n`, constants };
}
