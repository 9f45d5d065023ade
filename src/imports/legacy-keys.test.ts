import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { makeSignedIn } from "#test/fixtures.ts";
import { withApi } from "#test/harness.ts";
import { countSets, importFile, STRONG_HEADER, strongRow } from "#test/imports.ts";

const [PUSH, PULL] = [
  [strongRow("05", "Push", 1, 60), strongRow("05", "Push", 2, 65)],
  [strongRow("06", "Pull", 1, 100), strongRow("06", "Pull", 2, 110)],
] as const;

/** The key that earlier versions gave to a workout. */
const legacyKey = (startedAt: string, name: string, occurrence = 1) =>
  createHash("sha256")
    .update(JSON.stringify(["strong", startedAt, name, occurrence]))
    .digest("hex");

test(
  "workouts with legacy keys stay known, in any time zone, and get current keys",
  withApi(async (api, { sql }) => {
    const { as, user } = await makeSignedIn(api);
    const rows = [STRONG_HEADER, ...PUSH, ...PULL];
    await importFile(api, as, rows, "timeZone=Europe/Berlin");
    const readKeys = () => sql`
      select encode(import_key, 'hex') as key from workouts
      where user_id = ${user.id}
      order by started_at`;
    const currentKeys = await readKeys();
    await sql`
      update workouts set import_version = null,
        import_key = decode(case name
          when 'Push' then ${legacyKey("2025-01-05T09:00:00Z", "Push")}
          else ${legacyKey("2025-01-06T09:00:00Z", "Pull")}
        end, 'hex')
      where user_id = ${user.id}`;
    // Later edits do not affect recognition.
    await sql`update workouts set name = 'Drag' where user_id = ${user.id} and name = 'Pull'`;
    const report = await importFile(
      api,
      as,
      [...rows, strongRow("06", "Pull", 3, 120)],
      "timeZone=America/New_York&known=replace",
    );
    expect(report).toMatchObject({
      workouts: { added: 0, known: 2 },
      differingCount: 1,
      replacedCount: 1,
    });
    expect(await readKeys()).toEqual(currentKeys);
    expect(await countSets(api, as)).toEqual([2, 3]);
  }),
);

test(
  "further workouts into which an earlier version split one go to the trash when it is replaced",
  withApi(async (api, { sql }) => {
    const { as, user } = await makeSignedIn(api);
    const startedAt = "2025-01-05T09:00:00Z";
    // Earlier versions made two workouts of interleaved rows.
    await importFile(
      api,
      as,
      [STRONG_HEADER, PUSH[0], PUSH[1].replace("01-05", "01-07")],
      "timeZone=Europe/Berlin",
    );
    await sql`
      update workouts set import_version = null, started_at = ${startedAt},
        ended_at = '2025-01-05T09:45:00Z',
        import_key = decode(case started_at
          when ${startedAt} then ${legacyKey(startedAt, "Push")}
          else ${legacyKey(startedAt, "Push", 2)}
        end, 'hex')
      where user_id = ${user.id}`;
    const rows = [STRONG_HEADER, ...PUSH];
    expect(await importFile(api, as, rows)).toMatchObject({
      workouts: { added: 0, known: 1 },
      differingCount: 1,
    });
    expect(await countSets(api, as)).toEqual([1, 1]);
    const replaced = await importFile(api, as, rows, "timeZone=Asia/Tokyo&known=replace");
    expect(replaced).toMatchObject({ workouts: { added: 0, known: 1 }, replacedCount: 1 });
    expect(await countSets(api, as)).toEqual([2]);
    expect((await api.get("/api/v1/workouts/trash", { as })).json).toHaveLength(1);
    expect(await importFile(api, as, rows)).toMatchObject({
      workouts: { added: 0, known: 1 },
      differingCount: 0,
    });
  }),
);
