import type { Db } from "#db/client.ts";
import { type CopyBuffer, copyIn, createCopyBuffer, textBytes } from "#db/copy.ts";
import { OperatorError } from "#lib/errors.ts";
import { type Athlete, targetsOf } from "./athletes.ts";
import { LIFTS, type Lift } from "./splits.ts";
import type { KnownExercise } from "./training.ts";

/** The system exercises of all lifts, by slug. Throws OperatorError if the catalog lacks one. */
export async function findExercises({ sql }: Db): Promise<Map<string, KnownExercise>> {
  const slugs = LIFTS.map(({ slug }) => slug);
  const rows = await sql<{ slug: string; id: string; name: string }[]>`
    select slug, id, name from exercises where owner_id is null and slug = any (${slugs})`;
  const exercises = new Map(
    rows.map(({ slug, id, name }) => [slug, { id: uuidBytes(id), name: textBytes(name) }]),
  );
  const missing = slugs.filter((slug) => !exercises.has(slug));
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
    throw new OperatorError(
      `The catalog lacks ${missing.slice(0, 3).join(", ")}${more}: run \`irontrack seed\` first`,
    );
  }
  return exercises;
}

/** Those of `emails` that have accounts. */
export async function findExistingEmails({ sql }: Db, emails: string[]): Promise<Set<string>> {
  const rows = await sql<
    { email: string }[]
  >`select email from users where email = any (${emails})`;
  return new Set(rows.map(({ email }) => email));
}

/** Adds accounts for athletes that have none, and returns those athletes. */
export async function insertAthletes(
  { sql }: Db,
  athletes: Athlete[],
  { passwordHash, createdAt }: { passwordHash: string; createdAt: Date },
): Promise<Athlete[]> {
  const column = (of: (athlete: Athlete) => string) => athletes.map(of);
  const added = await sql<{ email: string }[]>`
    insert into users (id, email, name, password_hash, role_id, created_at, updated_at)
    select id, email, name, ${passwordHash}, (select id from roles where slug = 'application-access'),
      ${createdAt.toISOString()}, ${createdAt.toISOString()}
    from unnest(${column(({ id }) => Buffer.from(id).toString("hex"))}::uuid[], ${column(({ email }) => email)}::text[],
      ${column(({ name }) => name)}::text[]) as listed (id, email, name)
    on conflict do nothing returning email`;
  const emails = new Set(added.map(({ email }) => email));
  return athletes.filter(({ email }) => emails.has(email));
}

/** Writes the routines of each athlete, and a plan with the routines on its days. */
export async function writePlans(
  db: Db,
  athletes: Athlete[],
  exercises: Map<string, KnownExercise>,
  createdMs: number,
): Promise<void> {
  const owned = ["id", "owner_id", "name", "created_at", "updated_at"];
  const plans = createCopyBuffer("plans", owned);
  const routines = createCopyBuffer("routines", owned);
  const entries = createCopyBuffer("routine_exercises", [
    "id",
    "routine_id",
    "position",
    "exercise_id",
    "exercise_name",
    "mode",
    "sets",
    "reps_min",
    "reps_max",
    "time_s",
    "distance_m",
    "rest_s",
  ]);
  const days = createCopyBuffer("plan_routines", [
    "id",
    "plan_id",
    "routine_id",
    "day",
    "position",
  ]);
  const addOwned = (
    rows: CopyBuffer,
    { id, name }: { id: Uint8Array; name: Uint8Array },
    ownerId: Uint8Array,
  ) => {
    rows.startRow();
    for (const value of [id, ownerId, name]) rows.bytes(value);
    for (const column of [createdMs, createdMs]) rows.timestamptz(column);
  };
  for (const athlete of athletes) {
    addOwned(plans, athlete.plan, athlete.id);
    for (const routine of athlete.routines) {
      addOwned(routines, routine, athlete.id);
      for (const [index, { id, lift }] of routine.lifts.entries()) {
        addEntry(
          entries,
          [id, routine.id],
          index + 1,
          lift,
          exercises.get(lift.slug) as KnownExercise,
        );
      }
    }
    for (const [index, { id, weekday }] of athlete.plan.days.entries()) {
      const routine = athlete.routines[
        index % athlete.routines.length
      ] as Athlete["routines"][number];
      days.startRow();
      for (const value of [id, athlete.plan.id, routine.id]) days.bytes(value);
      for (const value of [weekday + 1, 1]) days.int2(value);
    }
  }
  for (const rows of [routines, entries, plans, days]) await copyIn(db, rows);
}

function addEntry(
  entries: CopyBuffer,
  ids: readonly [id: Uint8Array, routineId: Uint8Array],
  position: number,
  lift: Lift,
  exercise: KnownExercise,
) {
  const { sets, repsMin, repsMax, timeS, distanceM, restS } = targetsOf(lift);
  entries.startRow();
  for (const id of ids) entries.bytes(id);
  entries.int2(position);
  for (const value of [exercise.id, exercise.name, textBytes(lift.mode)]) entries.bytes(value);
  for (const value of [sets, repsMin, repsMax]) entries.int2(value);
  for (const value of [timeS, distanceM, restS]) entries.int4(value);
}

const uuidBytes = (uuid: string): Uint8Array => Buffer.from(uuid.replaceAll("-", ""), "hex");
