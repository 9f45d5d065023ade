import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { importFile, sendFile } from "#test/imports.ts";

const daysOf = async (api: Api, as: string): Promise<string[]> =>
  (await api.get("/api/v1/workouts?pageSize=100", { as })).json.items
    .map(({ startedAt }: { startedAt: string }) => startedAt.slice(0, 10))
    .sort();

const FITNOTES = "Date,Exercise,Category,Weight (lbs),Reps";
const HEVY = "title,start_time,end_time,exercise_title,set_type,weight_kg,reps";
const hevy = (day: string) => `A,"${day} 2024, 17:29","${day} 2024, 18:29",Squat,normal,60,5`;

test(
  "a day beyond the 12th decides the date order of the whole file; without one, dateOrder is required",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const row = (date: string) => `${date},Deadlift,Back,135.0,10`;
    const ambiguous = [FITNOTES, row("04/05/2024"), row("05/04/2024")];
    expectProblem(await sendFile(api, as, ambiguous), 422, "imports.date_order_required");
    expectProblem(
      await sendFile(api, as, [...ambiguous, row("15/04/2024"), row("04/15/2024")]),
      422,
      "imports.dates_contradict",
    );
    expectProblem(
      await sendFile(api, as, ambiguous, "timeZone=UTC&dateOrder=ymd"),
      422,
      "invalid_request",
    );
    expect(await daysOf(api, as)).toEqual([]);

    expect((await importFile(api, as, [...ambiguous, row("04/15/2024")])).workouts).toEqual({
      added: 3,
      known: 0,
    });
    expect(await daysOf(api, as)).toEqual(["2024-04-05", "2024-04-15", "2024-05-04"]);
    // With the parameter, the ambiguous file contains the same workouts.
    expect((await importFile(api, as, ambiguous, "timeZone=UTC&dateOrder=mdy")).workouts).toEqual({
      added: 0,
      known: 2,
    });
  }),
);

test(
  "a file in another language has the same workouts as in English; if languages disagree, language is required",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const finnish = [HEVY, hevy("15 marras"), hevy("5 tammi"), hevy("7 maalis")];
    expect((await importFile(api, as, finnish)).workouts).toEqual({ added: 3, known: 0 });
    expect(await daysOf(api, as)).toEqual(["2024-01-05", "2024-03-07", "2024-11-15"]);
    const english = [HEVY, hevy("5 Jan"), hevy("7 Mar"), hevy("15 Nov")];
    expect(await importFile(api, as, english)).toMatchObject({
      workouts: { added: 0, known: 3 },
      differingCount: 0,
    });

    expectProblem(await sendFile(api, as, [HEVY, hevy("9 lis")]), 422, "imports.language_required");
    expectProblem(
      await sendFile(api, as, [HEVY, hevy("9 Grishnak")]),
      422,
      "imports.unknown_language",
    );
    expectProblem(
      await sendFile(api, as, [HEVY, hevy("9 touko"), hevy("9 maj")]),
      422,
      "imports.dates_contradict",
    );
    expectStatus(await sendFile(api, as, [HEVY, hevy("9 lis")], "timeZone=UTC&language=hr"), 200);
    expect(await daysOf(api, as)).toContain("2024-10-09");
  }),
);

test(
  "if one weight has no unit, weightUnit is required for the whole file",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [
      "Date,Exercise,Category,Weight,Weight Unit,Reps",
      "2024-03-26,Squat,Legs,100,kgs,5",
      "2024-03-26,Plank,Abs,0,,5",
      "2024-03-26,Squat,Legs,110,,5",
    ];
    const refused = await sendFile(api, as, rows);
    expectProblem(refused, 422, "imports.unit_required");
    expect(refused.json.detail).toContain("row 4");
    expect(await importFile(api, as, rows, "timeZone=UTC&weightUnit=kg")).toMatchObject({
      sets: 3,
      errorCount: 0,
      cellCount: 0,
    });
  }),
);

test(
  "a workout over a clock change has the same length, whatever the time zone of the import",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const night = (end: string) => [
      HEVY,
      `A,"31 Mar 2024, 00:30","31 Mar 2024, ${end}",Squat,normal,60,5`,
    ];
    await importFile(api, as, night("04:30"));
    const inBerlin = (end: string) => importFile(api, as, night(end), "timeZone=Europe/Berlin");
    expect(await inBerlin("04:30")).toMatchObject({
      workouts: { known: 1 },
      differingCount: 0,
    });
    expect(await inBerlin("05:00")).toMatchObject({
      workouts: { known: 1 },
      differingCount: 1,
    });
  }),
);
