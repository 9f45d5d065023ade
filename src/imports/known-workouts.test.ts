import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectStatus, withApi } from "#test/harness.ts";
import {
  countSets,
  importFile,
  listFullWorkouts,
  STRONG_HEADER,
  type StoredWorkout,
  strongRow,
} from "#test/imports.ts";

const [PUSH, PULL] = [
  [strongRow("05", "Push", 1, 60), strongRow("05", "Push", 2, 65)],
  [strongRow("06", "Pull", 1, 100), strongRow("06", "Pull", 2, 110)],
] as const;

test(
  "a workout is recognised by the texts in the file, whatever the time zone of the import",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [STRONG_HEADER, ...PUSH, ...PULL];
    expect((await importFile(api, as, rows)).workouts).toEqual({ added: 2, known: 0 });
    const stored = await listFullWorkouts(api, as);
    for (const timeZone of ["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]) {
      const report = await importFile(api, as, rows, `timeZone=${timeZone}`);
      expect(report).toMatchObject({
        workouts: { added: 0, known: 2 },
        differingCount: 0,
        importId: null,
      });
    }
    expect(await listFullWorkouts(api, as)).toEqual(stored);
  }),
);

test(
  "interleaved rows of two workouts are two workouts, which are recognised in any order of rows",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const interleaved = [STRONG_HEADER, PUSH[0], PULL[0], PUSH[1], PULL[1]];
    expect(await importFile(api, as, interleaved)).toMatchObject({
      workouts: { added: 2 },
      sets: 4,
    });
    expect(await countSets(api, as)).toEqual([2, 2]);
    for (const rows of [
      [STRONG_HEADER, ...PUSH, ...PULL],
      [STRONG_HEADER, ...PULL, ...PUSH],
    ]) {
      expect(await importFile(api, as, rows)).toMatchObject({
        workouts: { added: 0, known: 2 },
        differingCount: 0,
      });
    }
  }),
);

test(
  "the same date in different forms is the same workout",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const header = "Date,Exercise,Category,Weight (kg),Reps";
    const report = await importFile(api, as, [
      header,
      "2024-04-15,Squat,Legs,60,5",
      "15/04/2024,Squat,Legs,65,5",
    ]);
    expect(report).toMatchObject({ workouts: { added: 1 }, sets: 2 });
    const second = await importFile(api, as, [
      header,
      "15.04.2024,Squat,Legs,60,5",
      "2024-4-15,Squat,Legs,65,5",
    ]);
    expect(second).toMatchObject({ workouts: { added: 0, known: 1 }, differingCount: 0 });
  }),
);

const FITNOTES =
  "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment";
const HEVY =
  "title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe";
const hevy = (exercise: string, weight: string, note = "") =>
  `Day,"28 Mar 2024, 17:29","28 Mar 2024, 18:29",${note},${exercise},,,0,normal,${weight},5,,,`;
const grownFiles: [format: string, early: string[], late: string[]][] = [
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
    [STRONG_HEADER, strongRow("05", "Push", 1, 60)],
    [
      STRONG_HEADER,
      strongRow("05", "Push", 1, 60),
      strongRow("05", "Push", 2, 65),
      strongRow("05", "Push", 1, 20, { exercise: "Fly" }),
    ],
  ],
];

test.each(grownFiles)(
  "a workout of %s with more sets in a later file is reported, and replaced with known=replace",
  async (_format, early, late) => {
    await withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const { importId } = await importFile(api, as, early);
      const [before] = await listFullWorkouts(api, as);

      const report = await importFile(api, as, late);
      expect(report).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 1,
        replacedCount: 0,
        errorCount: 0,
      });
      expect(report.differing).toMatchObject([
        { row: 2, workoutId: before?.id, isChanged: false, isReplaced: false },
      ]);
      expect(await listFullWorkouts(api, as)).toEqual([before as StoredWorkout]);

      const dryRun = await importFile(api, as, late, "timeZone=UTC&known=replace&dryRun=true");
      expect(dryRun).toMatchObject({ differingCount: 1, replacedCount: 1 });
      expect(await countSets(api, as)).toEqual([1]);

      const replaced = await importFile(api, as, late, "timeZone=Asia/Tokyo&known=replace");
      expect(replaced).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 1,
        replacedCount: 1,
      });
      const [after] = await listFullWorkouts(api, as);
      expect(after?.exercises.map(({ sets }) => sets.length)).toEqual([2, 1]);
      expect(after).toMatchObject({
        id: before?.id as string,
        startedAt: before?.startedAt as string,
      });
      expect(await importFile(api, as, late)).toMatchObject({
        workouts: { added: 0, known: 1 },
        differingCount: 0,
      });

      // A replacement is not an edit: the workout can be replaced again, and the import undone.
      expect(await importFile(api, as, early, "timeZone=UTC&known=replace")).toMatchObject({
        replacedCount: 1,
      });
      expect(await countSets(api, as)).toEqual([1]);
      expect((await api.post(`/api/v1/imports/${importId}/undo`, { as })).json).toEqual({
        trashed: 1,
        kept: 0,
      });
    })();
  },
);

test(
  "a workout that was edited here is replaced only with known=replaceChanged",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [, early, late] = grownFiles[0] as (typeof grownFiles)[number];
    await importFile(api, as, early);
    const [{ id }] = (await listFullWorkouts(api, as)) as [StoredWorkout];
    expectStatus(await api.patch(`/api/v1/workouts/${id}`, { as, body: { notes: "Mine" } }), 200);
    const skipped = await importFile(api, as, late, "timeZone=UTC&known=replace");
    expect(skipped).toMatchObject({
      differing: [{ isChanged: true, isReplaced: false }],
      replacedCount: 0,
    });
    const replaced = await importFile(api, as, late, "timeZone=UTC&known=replaceChanged");
    expect(replaced).toMatchObject({
      differing: [{ isChanged: true, isReplaced: true }],
      replacedCount: 1,
    });
    expect(await countSets(api, as)).toEqual([3]);
    expect((await listFullWorkouts(api, as))[0]).toMatchObject({ notes: null });
    // A workout in the trash stays there.
    expectStatus(await api.delete(`/api/v1/workouts/${id}`, { as }), 204);
    const trashed = await importFile(api, as, early, "timeZone=UTC&known=replaceChanged");
    expect(trashed).toMatchObject({ workouts: { added: 0, known: 1 }, differingCount: 0 });
  }),
);

test(
  "every difference between a known workout and the file is reported",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [strongRow("05", "Push", 1, 60), strongRow("05", "Push", 2, 65)];
    await importFile(api, as, [STRONG_HEADER, ...rows]);
    const [first, second] = rows as [string, string];
    for (const [difference, changed] of [
      ["weight", [first, strongRow("05", "Push", 2, 66)]],
      ["note", [first, strongRow("05", "Push", 2, 65, { note: "paused" })]],
      ["exercise", rows.map((row) => row.replace("Bench Press (Barbell)", "Zqx Press"))],
      ["order", [second, first]],
      ["type", [first.replace(",1,60,", ",W,60,"), second]],
      ["fewer sets", [first]],
      ["workout notes", rows.map((row) => row.replace(/,,$/, ",Slept badly,"))],
      ["rpe", [first, `${second}9`]],
      ["length", rows.map((row) => row.replace("45m", "50m"))],
    ] as [string, string[]][]) {
      const report = await importFile(api, as, [STRONG_HEADER, ...changed]);
      expect([difference, report.workouts.known, report.differingCount]).toEqual([
        difference,
        1,
        1,
      ]);
    }
    expect(await importFile(api, as, [STRONG_HEADER, ...rows])).toMatchObject({
      differingCount: 0,
    });
  }),
);
