import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { answerToBroken, BROKEN_CONSTRAINTS } from "./constraint-errors.ts";

/**
 * Keys that no request can break, with the reason. If one breaks all the same, the answer is 409
 * and it is logged.
 */
const UNBREAKABLE: Record<string, string> = {
  ...keys("the server chooses the id", [
    "users",
    "logins",
    "audit_events",
    "live_processes",
    "imports",
    "clients",
    "grants",
    "links",
    "plan_routines",
    "routine_exercises",
    "equipment",
    "muscle_groups",
    "exercise_tags",
    "roles",
  ]),
  ...keys("every insert says what to do on a conflict", [
    "attempts",
    "idempotency_keys",
    "import_names",
    "changes",
    "last_writes",
    "seed_removals",
  ]),
  ...keys("ids are inserted once each", [
    "exercise_equipment",
    "exercise_primary_muscles",
    "exercise_secondary_muscles",
    "exercise_tag_links",
  ]),
  ...keys("only migrations write it", ["schema_migrations", "feed_generation"]),
  exercise_counts_owner_id_unique: "every insert says what to do on a conflict",
  changes_user_place_unique: "places come from a sequence",
  changes_user_id_fkey: "the trigger that writes changes has locked the user",
  links_token_hash_unique: "tokens are 128 random bits",
  users_role_id_fkey: "no request deletes a role",
  roles_slug_unique: "no request makes a role",
  roles_name_unique: "no request makes a role",
  workout_exercises_mode_unique: "its first column is the primary key",
};

function keys(reason: string, tables: string[]) {
  return Object.fromEntries(tables.map((table) => [`${table}_pkey`, reason]));
}

test(
  "every foreign key, unique index and exclusion constraint of the schema has an answer, or a reason to need none",
  withApi(async (_api, { sql }) => {
    const rows = await sql<{ name: string }[]>`
      select conname as name from pg_constraint join pg_namespace on pg_namespace.oid = connamespace
      where nspname = 'public' and contype in ('f', 'p', 'u', 'x')
      union
      select relname from pg_index join pg_class on pg_class.oid = indexrelid
      join pg_namespace on pg_namespace.oid = relnamespace where nspname = 'public' and indisunique`;
    const names = rows.map(({ name }) => name);
    expect(names.filter((name) => !BROKEN_CONSTRAINTS[name] && !UNBREAKABLE[name])).toEqual([]);
    expect(names.filter((name) => BROKEN_CONSTRAINTS[name] && UNBREAKABLE[name])).toEqual([]);
    const checks = await sql<
      { name: string }[]
    >`select conname as name from pg_constraint where contype = 'c'`;
    const known = new Set([...names, ...checks.map(({ name }) => name)]);
    const listed = [...Object.keys(BROKEN_CONSTRAINTS), ...Object.keys(UNBREAKABLE)];
    expect(listed.filter((name) => !known.has(name))).toEqual([]);
  }),
);

test(
  "a check that validation let through, a missing value, and a value that PostgreSQL cannot read are never a 500",
  withApi(async (_api, { sql }) => {
    const statements = [
      sql`insert into attempts values (repeat('x', 201), 1, now(), now())`,
      sql`insert into attempts values ('x', null, now(), now())`,
      sql`select '2026-02-30'::date`,
      sql`insert into roles (slug, name) select slug, 'Another' from roles limit 1`,
    ];
    for (const statement of statements) {
      const error = await statement.then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(answerToBroken(error)?.answer.kind).toBeOneOf(["invalid", "conflict"]);
      expect(answerToBroken(error)?.isListed).toBeFalse();
    }
  }),
);

const logged: string[] = [];

test(
  "a constraint without an answer of its own is a 422 or a 409, and is logged as our fault",
  withApi(
    async (api, { sql }) => {
      await sql`alter table routines add constraint zq_check check (name <> 'zq')`;
      await sql`create unique index zq_unique on routines (description)`;
      const { as } = await makeSignedIn(api);
      const create = (name: string, description: string) =>
        api.post("/api/v1/routines", { as, body: { name, description, exercises: [] } });
      expectProblem(await create("zq", "One"), 422, "value_refused");
      expectStatus(await create("First", "Two"), 201);
      expectProblem(await create("Second", "Two"), 409, "changed_meanwhile");
      const faults = logged.filter((line) => line.includes('"msg":"request failed"'));
      expect(faults.map((line) => /zq_(check|unique)/.exec(line)?.[0])).toEqual([
        "zq_check",
        "zq_unique",
      ]);
    },
    { logTo: { write: (line) => void logged.push(line) } },
  ),
);

test(
  "a client-chosen id that exists, of this or another user, is a conflict everywhere",
  withApi(async (api, { sql }) => {
    const [muscle] = await sql<{ id: number }[]>`select id from muscle_groups order by id limit 1`;
    const { as, user } = await makeSignedIn(api);
    const stranger = await makeSignedIn(api);
    const exerciseId = await makeExercise(api, { owner: user, name: "Zq Own" });
    const make = async (as: string, path: string, body: object) => {
      const answer = await api.post(`/api/v1/${path}`, { as, body });
      expectStatus(answer, 201);
      return answer.json;
    };
    const entry = { exerciseId, mode: "reps", sets: 1 };
    const routine = await make(as, "routines", { name: "R", exercises: [entry] });
    const routines = [{ routineId: routine.id, day: 1 }];
    const plan = await make(as, "plans", { name: "P", sharing: "public", routines });
    const performed = [
      {
        id: Bun.randomUUIDv7(),
        exerciseName: "X",
        mode: "reps",
        sets: [{ id: Bun.randomUUIDv7() }],
      },
    ];
    const workout = await make(as, "workouts", { timeZone: "UTC", exercises: performed });
    const [inside] = workout.exercises;
    const theirs = await make(stranger.as, "plans", { name: "T", routines: [] });
    const newExercise = {
      name: "Zq New",
      primaryMuscles: [muscle?.id],
      difficultyLevel: "beginner",
      category: "strength",
    };
    const attempts: [string, object, string][] = [
      ["exercises/user", { ...newExercise, id: exerciseId }, "exercises"],
      ["routines", { name: "R2", exercises: [entry], id: routine.id }, "routines"],
      [`routines/${routine.id}/clone`, { id: routine.id, name: "R3" }, "routines"],
      ["plans", { name: "P2", routines, id: plan.id }, "plans"],
      [`plans/${plan.id}/clone`, { id: plan.id, name: "P3" }, "plans"],
      [`plans/${plan.id}/clone`, { id: theirs.id, name: "P4" }, "plans"],
      ["workouts", { timeZone: "UTC", id: workout.id }, "workouts"],
      ["workouts", { timeZone: "UTC", exercises: performed }, "workouts"],
      [`workouts/${workout.id}/exercises`, performed[0] as object, "workouts"],
      [
        `workouts/${workout.id}/exercises/${inside.id}/sets`,
        { id: inside.sets[0].id, reps: 1 },
        "workouts",
      ],
    ];
    for (const [path, body, domain] of attempts) {
      expectProblem(await api.post(`/api/v1/${path}`, { as, body }), 409, `${domain}.id_taken`);
    }
    // Cloning another user's plan copies its routines, too.
    const clone = { as: stranger.as, body: { id: plan.id, name: "Copy" } };
    expectProblem(await api.post(`/api/v1/plans/${plan.id}/clone`, clone), 409, "plans.id_taken");
    expectStatus(
      await api.post(`/api/v1/plans/${plan.id}/clone`, { as: stranger.as, body: { name: "Copy" } }),
      201,
    );
  }),
);
