import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";

const send = async (api: Api, as: string, rows: string[], query = "timeZone=UTC") => {
  const headers = { "content-type": "text/csv" };
  const answer = await api.post(`/api/v1/imports?${query}`, { as, body: rows.join("\n"), headers });
  expectStatus(answer, 200);
  return answer.json;
};

type Stored = {
  id: string;
  startedAt: string;
  name: string;
  exercises: { exerciseName: string; sets: object[] }[];
};
async function workoutsOf(api: Api, as: string): Promise<Stored[]> {
  const { items } = (await api.get("/api/v1/workouts?pageSize=100", { as })).json;
  const whole: Stored[] = [];
  for (const { id } of items) whole.push((await api.get(`/api/v1/workouts/${id}`, { as })).json);
  return whole.reverse();
}
const setCounts = async (api: Api, as: string) =>
  (await workoutsOf(api, as)).map(({ exercises }) =>
    exercises.reduce((sum, { sets }) => sum + sets.length, 0),
  );

const STRONG =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE";
const strong = (
  day: string,
  name: string,
  set: number,
  weight: number,
  more: { exercise?: string; note?: string } = {},
) =>
  `2025-01-${day} 10:00:00,"${name}",45m,${more.exercise ?? "Bench Press (Barbell)"},${set},${weight},5,0,0,${more.note ?? ""},,`;
const [PUSH, PULL] = [
  [strong("05", "Push", 1, 60), strong("05", "Push", 2, 65)],
  [strong("06", "Pull", 1, 100), strong("06", "Pull", 2, 110)],
] as const;

test(
  "a workout is known by what stands in the file, whatever time zone the file is read in",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [STRONG, ...PUSH, ...PULL];
    expect((await send(api, as, rows)).workouts).toEqual({ added: 2, known: 0 });
    const stored = await workoutsOf(api, as);
    for (const timeZone of ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]) {
      const report = await send(api, as, rows, `timeZone=${timeZone}`);
      expect(report).toMatchObject({
        workouts: { added: 0, known: 2 },
        differingCount: 0,
        importId: null,
      });
    }
    expect(await workoutsOf(api, as)).toEqual(stored);
  }),
);

test(
  "rows of two workouts in turn are two workouts, which are known in any order of the rows",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const inTurn = [STRONG, PUSH[0], PULL[0], PUSH[1], PULL[1]];
    expect(await send(api, as, inTurn)).toMatchObject({ workouts: { added: 2 }, sets: 4 });
    expect(await setCounts(api, as)).toEqual([2, 2]);
    for (const rows of [
      [STRONG, ...PUSH, ...PULL],
      [STRONG, ...PULL, ...PUSH],
    ]) {
      expect(await send(api, as, rows)).toMatchObject({
        workouts: { added: 0, known: 2 },
        differingCount: 0,
      });
    }
  }),
);

test(
  "one date is one workout, in whatever form it is written",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const header = "Date,Exercise,Category,Weight (kg),Reps";
    const report = await send(api, as, [
      header,
      "2024-04-15,Squat,Legs,60,5",
      "15/04/2024,Squat,Legs,65,5",
    ]);
    expect(report).toMatchObject({ workouts: { added: 1 }, sets: 2 });
    const again = await send(api, as, [
      header,
      "15.04.2024,Squat,Legs,60,5",
      "2024-4-15,Squat,Legs,65,5",
    ]);
    expect(again).toMatchObject({ workouts: { added: 0, known: 1 }, differingCount: 0 });
  }),
);

const FITNOTES =
  "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment";
const HEVY =
  "title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe";
const hevy = (exercise: string, weight: string, note = "") =>
  `Day,"28 Mar 2024, 17:29","28 Mar 2024, 18:29",${note},${exercise},,,0,normal,${weight},5,,,`;
const grown: [string, string[], string[]][] = [
  [
    "FitNotes",
    [FITNOTES, "2025-02-01,Deadlift,Back,100,kgs,5,,,,"],
    [
      FITNOTES,
      "2025-02-01,Deadlift,Back,100,kgs,5,,,,",
      "2025-02-01,Deadlift,Back,110,kgs,3,,,,",
      "2025-02-01,Pull Up,Back,,,8,,,,",
    ],
  ],
  [
    "Hevy",
    [HEVY, hevy("Squat", "100")],
    [HEVY, hevy("Squat", "100"), hevy("Squat", "110"), hevy("Plank", "")],
  ],
  [
    "Strong",
    [STRONG, strong("05", "Push", 1, 60)],
    [
      STRONG,
      strong("05", "Push", 1, 60),
      strong("05", "Push", 2, 65),
      strong("05", "Push", 1, 20, { exercise: "Fly" }),
    ],
  ],
];

test.each(grown)(
  "a day of %s that has grown is reported, and replaced if the client asks for it",
  async (_name, noon, night) => {
    await withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const { importId } = await send(api, as, noon);
      const [before] = await workoutsOf(api, as);

      const told = await send(api, as, night);
      expect(told).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 1,
        replacedCount: 0,
        errorCount: 0,
      });
      expect(told.differing).toMatchObject([
        { row: 2, workoutId: before?.id, isChanged: false, isReplaced: false },
      ]);
      expect(await workoutsOf(api, as)).toEqual([before as Stored]);

      const dry = await send(api, as, night, "timeZone=UTC&known=replace&dryRun=true");
      expect(dry).toMatchObject({ differingCount: 1, replacedCount: 1 });
      expect(await setCounts(api, as)).toEqual([1]);

      const replaced = await send(api, as, night, "timeZone=Asia/Tokyo&known=replace");
      expect(replaced).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 1,
        replacedCount: 1,
      });
      const [after] = await workoutsOf(api, as);
      expect(after?.exercises.map(({ sets }) => sets.length)).toEqual([2, 1]);
      expect(after).toMatchObject({
        id: before?.id as string,
        startedAt: before?.startedAt as string,
      });
      expect(await send(api, as, night)).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 0,
      });

      // A replacement is not an edit: the workout can be replaced again, and the import undone.
      expect(await send(api, as, noon, "timeZone=UTC&known=replace")).toMatchObject({
        replacedCount: 1,
      });
      expect(await setCounts(api, as)).toEqual([1]);
      expect((await api.post(`/api/v1/imports/${importId}/undo`, { as })).json).toEqual({
        trashed: 1,
        kept: 0,
      });
    })();
  },
);

test(
  "a workout that was changed here is replaced only if the client asks for that",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [, noon, night] = grown[0] as (typeof grown)[number];
    await send(api, as, noon);
    const [{ id }] = (await workoutsOf(api, as)) as [Stored];
    expectStatus(await api.patch(`/api/v1/workouts/${id}`, { as, body: { notes: "Mine" } }), 200);
    const kept = await send(api, as, night, "timeZone=UTC&known=replace");
    expect(kept).toMatchObject({
      differing: [{ isChanged: true, isReplaced: false }],
      replacedCount: 0,
    });
    const replaced = await send(api, as, night, "timeZone=UTC&known=replaceChanged");
    expect(replaced).toMatchObject({
      differing: [{ isChanged: true, isReplaced: true }],
      replacedCount: 1,
    });
    expect(await setCounts(api, as)).toEqual([3]);
    expect((await workoutsOf(api, as))[0]).toMatchObject({ notes: null });
    // A workout in the trash stays there.
    expectStatus(await api.delete(`/api/v1/workouts/${id}`, { as }), 204);
    const trashed = await send(api, as, noon, "timeZone=UTC&known=replaceChanged");
    expect(trashed).toMatchObject({ workouts: { added: 0, known: 1 }, differingCount: 0 });
  }),
);

test(
  "every difference between a known workout and the file is reported",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [strong("05", "Push", 1, 60), strong("05", "Push", 2, 65)];
    await send(api, as, [STRONG, ...rows]);
    const [first, second] = rows as [string, string];
    for (const [what, changed] of [
      ["weight", [first, strong("05", "Push", 2, 66)]],
      ["note", [first, strong("05", "Push", 2, 65, { note: "paused" })]],
      ["exercise", rows.map((row) => row.replace("Bench Press (Barbell)", "Zqx Press"))],
      ["order", [second, first]],
      ["type", [first.replace(",1,60,", ",W,60,"), second]],
      ["fewer sets", [first]],
      ["workout notes", rows.map((row) => row.replace(/,,$/, ",Slept badly,"))],
      ["rpe", [first, `${second}9`]],
      ["length", rows.map((row) => row.replace("45m", "50m"))],
    ] as [string, string[]][]) {
      const report = await send(api, as, [STRONG, ...changed]);
      expect([what, report.workouts.known, report.differingCount]).toEqual([what, 1, 1]);
    }
    expect(await send(api, as, [STRONG, ...rows])).toMatchObject({ differingCount: 0 });
  }),
);

test(
  "workouts that are known by keys of the former kind stay known, in any time zone, and get the present kind",
  withApi(async (api, { sql }) => {
    const { as, user } = await makeSignedIn(api);
    const rows = [STRONG, ...PUSH, ...PULL];
    await send(api, as, rows, "timeZone=Europe/Berlin");
    const former = (startedAt: string, name: string) =>
      createHash("sha256")
        .update(JSON.stringify(["strong", startedAt, name, 1]))
        .digest("hex");
    const keys = async () =>
      (
        await sql`select encode(import_key, 'hex') as key from workouts where user_id = ${user.id} order by started_at`
      ).map(({ key }) => key);
    const present = await keys();
    await sql`
      update workouts set import_version = null,
        import_key = decode(case name when 'Push' then ${former("2025-01-05T09:00:00Z", "Push")}
          else ${former("2025-01-06T09:00:00Z", "Pull")} end, 'hex')
      where user_id = ${user.id}`;
    // Later edits do not matter.
    await sql`update workouts set name = 'Drag' where user_id = ${user.id} and name = 'Pull'`;
    const report = await send(
      api,
      as,
      [...rows, strong("06", "Pull", 3, 120)],
      "timeZone=America/New_York&known=replace",
    );
    expect(report).toMatchObject({
      workouts: { added: 0, known: 2 },
      differingCount: 1,
      replacedCount: 1,
    });
    expect(await keys()).toEqual(present);
    expect(await setCounts(api, as)).toEqual([2, 3]);
  }),
);

test(
  "workouts that were parts of one in a file that was read formerly go into the trash when that is replaced",
  withApi(async (api, { sql }) => {
    const { as, user } = await makeSignedIn(api);
    const key = (occurrence: number) =>
      createHash("sha256")
        .update(JSON.stringify(["strong", "2025-01-05T09:00:00Z", "Push", occurrence]))
        .digest("hex");
    // As earlier versions read interleaved rows: each half is a workout.
    await send(
      api,
      as,
      [STRONG, PUSH[0], PUSH[1].replace("01-05", "01-07")],
      "timeZone=Europe/Berlin",
    );
    await sql`
      update workouts set import_version = null, started_at = '2025-01-05T09:00:00Z', ended_at = '2025-01-05T09:45:00Z',
        import_key = decode(case started_at when '2025-01-05T09:00:00Z' then ${key(1)} else ${key(2)} end, 'hex')
      where user_id = ${user.id}`;
    const rows = [STRONG, ...PUSH];
    expect(await send(api, as, rows)).toMatchObject({
      workouts: { added: 0, known: 1 },
      differingCount: 1,
    });
    expect(await setCounts(api, as)).toEqual([1, 1]);
    const replaced = await send(api, as, rows, "timeZone=Asia/Tokyo&known=replace");
    expect(replaced).toMatchObject({ workouts: { added: 0, known: 1 }, replacedCount: 1 });
    expect(await setCounts(api, as)).toEqual([2]);
    expect((await api.get("/api/v1/workouts/trash", { as })).json).toHaveLength(1);
    expect(await send(api, as, rows)).toMatchObject({
      workouts: { added: 0, known: 1 },
      differingCount: 0,
    });
  }),
);
