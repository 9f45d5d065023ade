import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { withApi } from "#test/harness.ts";
import { importFile } from "#test/imports.ts";
import { statementsOf } from "#test/transaction.ts";
import { openTrainingFile } from "./training-file.rules.ts";

const HEADER = "Date,Exercise,Category,Weight (kg),Reps";
test(
  "unknown names cost no query, and no query for names follows the import",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const own = await makeExercise(api, { owner: user, name: "Zqx Garage Press" });
    const rows = Array.from(
      { length: 190 },
      (_, n) => `2024-01-15,Zqx Garage Pres ${"abcdefghij".repeat(7)} ${n},,60,5`,
    );
    // The first import caches the catalog's names.
    await importFile(api, as, [HEADER, "2024-01-14,Zqx Wall Pres,,60,5"]);
    const statements = await statementsOf(async () => {
      const file = [HEADER, "2024-01-15,Zqx Garage Pres,,60,5", ...rows];
      const { names } = await importFile(api, as, file);
      expect(names).toHaveLength(191);
      expect(names[0]).toMatchObject({
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

test("other work proceeds while a file is read, whatever its rows are", async () => {
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
    const opened = await openTrainingFile(
      file,
      { timeZone: "UTC" },
      () => new Promise((resume) => setImmediate(resume)),
    );
    for await (const _ of opened.events());
    isDone = true;
    expect([line, turns > 2]).toEqual([line, true]);
  }
});

test("reading pauses at least once per record of maximum length, whatever its content", async () => {
  const length = 60_000;
  for (const line of [
    `2024-01-15,Squat,,60,5,${"x".repeat(length)}`,
    `2024-01-15,Squat,,60,5,"${"x\n".repeat(length / 2)}"`,
    `2024-01-15,Squat,,${"1".repeat(length)}x,5,`,
    `${"1 ".repeat(length / 2)},Squat,,60,5,`,
    ",".repeat(length * 10),
    "\n".repeat(length * 10),
  ]) {
    const file = `${HEADER},Comment\n2024-01-14,Squat,,60,5,\n${`${line}\n`.repeat(1_800_000 / line.length)}`;
    let pauseCount = 0;
    const opened = await openTrainingFile(file, { timeZone: "UTC" }, async () => {
      pauseCount++;
    });
    for await (const _ of opened.events());
    const isOften = pauseCount >= (2 * file.length) / 650_000;
    expect([line.slice(0, 40), isOften]).toEqual([line.slice(0, 40), true]);
  }
});
