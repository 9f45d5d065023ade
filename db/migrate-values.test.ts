import { expect, test } from "bun:test";
import { makeDatabase } from "#test/own-database.ts";
import { openPool } from "./client.ts";
import { migrate, readMigrations } from "./migrate.ts";

const VALUES = "0013_values";

test("a migrated database keeps workouts that are too long, and its accounts get composed email addresses", async () => {
  const database = await makeDatabase();
  const db = openPool(database.url, { size: 1, prepare: false });
  const { sql } = db;
  try {
    const tags = readMigrations().map(({ tag }) => tag);
    await migrate(db, tags[tags.indexOf(VALUES) - 1]);
    await sql`insert into roles (slug, name) values ('application-access', 'User')`;
    const people = [
      ["alone", "te\u0301st@example.com", "Ame\u0301lie"],
      ["composed", "\u00fc@example.com", null],
      ["decomposed", "u\u0308@example.com", "\u00dc"],
      ["first", "A\u030a\u0323@example.com".toLowerCase(), null],
      ["second", "a\u0323\u030a@example.com", null],
      ["plain", "ada@example.com", "Ada"],
    ] as const;
    for (const [hash, email, name] of people) {
      await sql`
        insert into users (email, name, password_hash, role_id)
        select ${email}, ${name}, ${hash}, id from roles`;
    }
    await sql`
      insert into workouts (user_id, status, started_at, ended_at, time_zone)
      select id, 'completed', '1900-01-01T00:00:00Z', ended_at::timestamptz, 'UTC' from users,
        unnest(array['2000-01-01T00:00:00Z', '1900-01-08T00:00:00Z']) as ended_at
      where password_hash = 'plain'`;
    await migrate(db);
    const accounts = await sql<{ hash: string; email: string; name: string | null }[]>`
      select password_hash as hash, email, name from users order by id`;
    expect(Object.fromEntries(accounts.map(({ hash, email }) => [hash, email]))).toEqual({
      alone: "t\u00e9st@example.com",
      composed: "\u00fc@example.com",
      decomposed: "u\u0308@example.com",
      first: "\u1ea1\u030a@example.com",
      second: "a\u0323\u030a@example.com",
      plain: "ada@example.com",
    });
    expect(accounts.map((person) => person.name)).toEqual([
      "Am\u00e9lie",
      null,
      "\u00dc",
      null,
      null,
      "Ada",
    ]);
    const lengths = await sql`
      select ended_at::text as ended, is_length_exempt as exempt from workouts order by ended_at`;
    expect([...lengths]).toEqual([
      { ended: "1900-01-08 00:00:00+00", exempt: false },
      { ended: "2000-01-01 00:00:00+00", exempt: true },
    ]);
    const long = sql`insert into workouts (user_id, status, started_at, ended_at, time_zone)
      select id, 'completed', '1900-01-01T00:00:00Z', '1900-01-08T00:00:00.000001Z', 'UTC' from users limit 1`;
    const violated = await long.then(
      () => undefined,
      (error) => error.constraint_name,
    );
    expect(violated).toBe("workouts_length_check");
  } finally {
    await db.close();
    await database.drop();
  }
});
