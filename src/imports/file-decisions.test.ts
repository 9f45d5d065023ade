import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";

const send = (api: Api, as: string, rows: string[], query = "") =>
  api.post(`/api/v1/imports?timeZone=UTC${query}`, {
    as,
    body: rows.join("\n"),
    headers: { "content-type": "text/csv" },
  });
const daysOf = async (api: Api, as: string): Promise<string[]> =>
  (await api.get("/api/v1/workouts?pageSize=100", { as })).json.items
    .map(({ startedAt }: { startedAt: string }) => startedAt.slice(0, 10))
    .sort();

const FITNOTES = "Date,Exercise,Category,Weight (lbs),Reps";
const HEVY = "title,start_time,end_time,exercise_title,set_type,weight_kg,reps";
const hevy = (day: string) => `A,"${day} 2024, 17:29","${day} 2024, 18:29",Squat,normal,60,5`;

test(
  "a file with the month first is read as such when a day beyond the 12th proves it, and else asked about once",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const row = (date: string) => `${date},Deadlift,Back,135.0,10`;
    const open = [FITNOTES, row("04/05/2024"), row("05/04/2024")];
    expectProblem(await send(api, as, open), 422, "imports.date_order_required");
    expectProblem(
      await send(api, as, [...open, row("15/04/2024"), row("04/15/2024")]),
      422,
      "imports.dates_contradict",
    );
    expectProblem(await send(api, as, open, "&dateOrder=ymd"), 422, "invalid_request");
    expect(await daysOf(api, as)).toEqual([]);

    expect((await send(api, as, [...open, row("04/15/2024")])).json.workouts).toEqual({
      added: 3,
      known: 0,
    });
    expect(await daysOf(api, as)).toEqual(["2024-04-05", "2024-04-15", "2024-05-04"]);
    // The answer makes the shorter file the same.
    expect((await send(api, as, open, "&dateOrder=mdy")).json.workouts).toEqual({
      added: 0,
      known: 2,
    });
  }),
);

test(
  "a file in another language is the same as in English, and one that may be in several is asked about once",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const finnish = [HEVY, hevy("15 marras"), hevy("5 tammi"), hevy("7 maalis")];
    expect((await send(api, as, finnish)).json.workouts).toEqual({ added: 3, known: 0 });
    expect(await daysOf(api, as)).toEqual(["2024-01-05", "2024-03-07", "2024-11-15"]);
    const english = [HEVY, hevy("5 Jan"), hevy("7 Mar"), hevy("15 Nov")];
    expect((await send(api, as, english)).json).toMatchObject({
      workouts: { added: 0, known: 3 },
      differingCount: 0,
    });

    expectProblem(await send(api, as, [HEVY, hevy("9 lis")]), 422, "imports.language_required");
    expectProblem(await send(api, as, [HEVY, hevy("9 Grishnak")]), 422, "imports.unknown_language");
    expectProblem(
      await send(api, as, [HEVY, hevy("9 touko"), hevy("9 maj")]),
      422,
      "imports.dates_contradict",
    );
    expectStatus(await send(api, as, [HEVY, hevy("9 lis")], "&language=hr"), 200);
    expect(await daysOf(api, as)).toContain("2024-10-09");
  }),
);

test(
  "a weight without a unit in one row is asked about for the whole file",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [
      "Date,Exercise,Category,Weight,Weight Unit,Reps",
      "2024-03-26,Squat,Legs,100,kgs,5",
      "2024-03-26,Plank,Abs,0,,5",
      "2024-03-26,Squat,Legs,110,,5",
    ];
    const refused = await send(api, as, rows);
    expectProblem(refused, 422, "imports.unit_required");
    expect(refused.json.detail).toContain("row 4");
    expect((await send(api, as, rows, "&weightUnit=kg")).json).toMatchObject({
      sets: 3,
      errorCount: 0,
      cellCount: 0,
    });
  }),
);

test(
  "a workout in the night that the clocks change has one length, whatever time zone the file is read in",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const night = (end: string) => [
      HEVY,
      `A,"31 Mar 2024, 00:30","31 Mar 2024, ${end}",Squat,normal,60,5`,
    ];
    expectStatus(await send(api, as, night("04:30")), 200);
    const berlin = (end: string) =>
      api.post("/api/v1/imports?timeZone=Europe/Berlin", {
        as,
        body: night(end).join("\n"),
        headers: { "content-type": "text/csv" },
      });
    expect((await berlin("04:30")).json).toMatchObject({
      workouts: { known: 1 },
      differingCount: 0,
    });
    expect((await berlin("05:00")).json).toMatchObject({
      workouts: { known: 1 },
      differingCount: 1,
    });
  }),
);
