import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import type { Actor } from "#src/actor.ts";
import { logSet } from "#src/workouts/workout-sets.service.ts";
import { closedLoop } from "./closed-loop.ts";
import { openStand, type Stand } from "./stand.ts";
import { ratioOfPairs } from "./statistics.ts";
import { made, makePerson, makeWorld, type World, write } from "./suites/world.ts";

/** People who train at the same time, each in a workout of their own. */
const PEOPLE = 64;
const CONNECTIONS = 8;
const SET = { reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8 } as const;

type Lifter = { cookie: string; userId: string; email: string; workoutId: string; workoutExerciseId: string };

/** Logging sets through the application beside pgbench with the very statements, on one database, run by run. */
export async function benchLogSet(pairs: number, seconds: number): Promise<void> {
  if (!Bun.which("pgbench")) throw new Error("pgbench is not on the PATH: install PostgreSQL's client programs");
  const rates: { a: number; b: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    process.stderr.write(`pair ${pair + 1} of ${pairs}\n`);
    const stand = await openStand({ settings: { DATABASE_POOL_SIZE: String(CONNECTIONS) } });
    try {
      const ours = async () => throughApplication(stand, await makeLifters(stand), seconds);
      const theirs = async () => throughPgbench(stand, await makeLifters(stand), seconds);
      const [first, second] = pair % 2 === 0 ? [ours, theirs] : [theirs, ours];
      const [one, other] = [await first(), await second()];
      rates.push(pair % 2 === 0 ? { a: one, b: other } : { a: other, b: one });
    } finally {
      await stand.close();
    }
  }
  const { median, low, high } = ratioOfPairs(rates);
  console.log(
    `logging a set, requests per second / pgbench on its statements   ${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`,
  );
}

async function makeLifters(stand: Stand): Promise<Lifter[]> {
  const world: World = await makeWorld(stand);
  const lifters: Lifter[] = [];
  for (let n = 0; n < PEOPLE; n++) {
    const { cookie, id: userId, email } = await makePerson(stand);
    const exercises = [{ exerciseId: world.systemExercise, mode: "reps" }];
    const begun = write({ cookie }, "POST", "/workouts", { timeZone: "UTC", exercises });
    const workout = await made<{ id: string; exercises: { id: string }[] }>(world, begun);
    lifters.push({ cookie, userId, email, workoutId: workout.id, workoutExerciseId: workout.exercises[0]?.id ?? "" });
  }
  return lifters;
}

async function throughApplication({ server }: Stand, lifters: Lifter[], seconds: number): Promise<number> {
  const body = JSON.stringify(SET);
  const requests = lifters.map(({ cookie, workoutId, workoutExerciseId }) => {
    const path = `/api/v1/workouts/${workoutId}/exercises/${workoutExerciseId}/sets`;
    return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie.split("; ")[0]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  await closedLoop(server.socketPath, requests, CONNECTIONS, 1000);
  const load = await closedLoop(server.socketPath, requests, CONNECTIONS, seconds * 1000);
  if (load.failures > 0) throw new Error(`${load.failures} of ${load.requests} sets were not logged`);
  return (load.requests / load.elapsedMs) * 1000;
}

/** A script for each lifter, of which pgbench takes one at random for each transaction. */
async function throughPgbench(stand: Stand, lifters: Lifter[], seconds: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-pgbench-"));
  try {
    const files: string[] = [];
    for (const [n, lifter] of lifters.entries()) {
      const file = join(directory, `${n}.sql`);
      writeFileSync(file, await transactionOf(stand.databaseUrl, lifter));
      files.push("-f", file);
    }
    const args = ["-n", "-M", "prepared", "-c", String(CONNECTIONS), "-T", String(seconds), ...files];
    const target = ["-h", stand.databaseSocketDir, "-U", "irontrack", "irontrack"];
    const child = spawn("taskset", ["-c", "0", "pgbench", ...args, ...target], { stdio: ["ignore", "pipe", "pipe"] });
    const [out, err] = await Promise.all([
      new Response(child.stdout as never).text(),
      new Response(child.stderr as never).text(),
    ]);
    const perSecond = Number(/tps = ([\d.]+)/.exec(out)?.[1]);
    if (!(perSecond > 0)) throw new Error(`pgbench: ${err}`);
    return perSecond;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The statements that logging a set sends, values written in. */
async function transactionOf(url: string, { userId, email, workoutId, workoutExerciseId }: Lifter): Promise<string> {
  const statements: string[] = [];
  const pool = openPool(url, {
    size: 1,
    prepare: false,
    onStatement: (text, values) => {
      // pgbench takes a colon before a word for a variable of its own, in JSON and in forms of times too.
      const quoted = (value: unknown) => String(value).replaceAll("'", "''").replaceAll('":', '" : ');
      const literal = (value: unknown) => (value === null ? "null" : `'${quoted(value)}'`);
      const written = text.replaceAll(/\$(\d+)/g, (_whole, at) => literal(values[Number(at) - 1]));
      statements.push(written.replaceAll(/:(MI|SS)/g, "' || chr(58) || '$1").replaceAll(/\s+/g, " "));
    },
  });
  const actor: Actor = { loginId: userId, userId, email, name: null, roleSlug: "application-access" };
  await logSet(pool, actor, { workoutId, workoutExerciseId }, SET, async () => {});
  await pool.close();
  const sent = statements.filter((text) => !/^(begin|commit)/.test(text.trim()) && !text.includes("pg_catalog"));
  return `begin;\n${sent.join(";\n")};\ncommit;\n`;
}
