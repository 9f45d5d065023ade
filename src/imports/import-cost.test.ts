import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";
import { statementsOf } from "#test/transaction.ts";
import { openTrainingFile } from "./training-file.rules.ts";

const HEADER = "Date,Exercise,Category,Weight (kg),Reps";
const send = (api: Api, as: string, file: string) =>
  api.post("/api/v1/imports?timeZone=UTC", {
    as,
    body: file,
    headers: { "content-type": "text/csv" },
  });

test(
  "names that mean nothing cost PostgreSQL nothing, and nothing is asked of it once the import is there",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const own = await makeExercise(api, { owner: user, name: "Zqx Garage Press" });
    const rows = Array.from(
      { length: 190 },
      (_, n) => `2024-01-15,Zqx Garage Pres ${"abcdefghij".repeat(7)} ${n},,60,5`,
    );
    // The catalog is in this process's cache after the first.
    await send(api, as, [HEADER, "2024-01-14,Zqx Wall Pres,,60,5"].join("\n"));
    const statements = await statementsOf(async () => {
      const answer = await send(
        api,
        as,
        [HEADER, "2024-01-15,Zqx Garage Pres,,60,5", ...rows].join("\n"),
      );
      expectStatus(answer, 200);
      expect(answer.json.names).toHaveLength(191);
      expect(answer.json.names[0]).toMatchObject({
        exerciseId: null,
        proposals: [{ exerciseId: own }],
      });
    });
    expect(statements.filter((statement) => statement.includes("similarity("))).toEqual([]);
    const lastWrite = statements.findLastIndex((statement) => /^\s*update imports/.test(statement));
    expect(lastWrite).toBeGreaterThan(0);
    expect(
      statements
        .slice(lastWrite + 1)
        .filter((statement) => /\b(?:exercises|import_names)\b/.test(statement)),
    ).toEqual([]);
  }),
);

test("other work goes on while a file is read, whatever its rows are", async () => {
  for (const line of [
    "x\n",
    '"x\n',
    '2024-01-15,"Squat" x,,60,5\n',
    "yesterday,Squat,,60,5\n",
    "2024-01-15,Squat,,60,5\n",
  ]) {
    let [turns, isDone] = [0, false];
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    const file = `${HEADER}\n${line.repeat(1_000_000 / line.length)}`;
    const training = await openTrainingFile(
      file,
      { timeZone: "UTC" },
      () => new Promise((resume) => setImmediate(resume)),
    );
    for await (const _ of training.events());
    isDone = true;
    expect([line, turns > 2]).toEqual([line, true]);
  }
});

test("reading pauses at least once per longest record, whatever the cells contain", async () => {
  const long = 60_000;
  for (const cells of [
    `2024-01-15,Squat,,60,5,${"x".repeat(long)}`,
    `2024-01-15,Squat,,60,5,"${"x\n".repeat(long / 2)}"`,
    `2024-01-15,Squat,,${"1".repeat(long)}x,5,`,
    `${"1 ".repeat(long / 2)},Squat,,60,5,`,
    ",".repeat(long * 10),
    "\n".repeat(long * 10),
  ]) {
    const file = `${HEADER},Comment\n2024-01-14,Squat,,60,5,\n${`${cells}\n`.repeat(1_800_000 / cells.length)}`;
    let pauseCount = 0;
    const training = await openTrainingFile(file, { timeZone: "UTC" }, async () => {
      pauseCount++;
    });
    for await (const _ of training.events());
    const isOften = pauseCount >= (2 * file.length) / 650_000;
    expect([cells.slice(0, 40), isOften]).toEqual([cells.slice(0, 40), true]);
  }
});
