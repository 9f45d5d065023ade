import { expect, test } from "bun:test";
import { CANARY, makeAccessFixtures } from "#test/access-fixtures.ts";
import { ACTORS, MATRIX, MAY_SEE_OTHERS } from "#test/access-matrix.ts";
import { withApi } from "#test/harness.ts";
import { listOperations } from "../app/app.ts";
import { packArchive } from "../archive/archive-format.rules.ts";
import type { Operation } from "../operations/operation.ts";

const EMPTY_ARCHIVE = { exercises: "", routines: "", plans: "", workouts: "" };
const TRAINING =
  "Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps\n2026-01-01 10:00:00,A,Press,1,50,kg,5\n";

test(
  "the access matrix has rows for exactly the operations of the API",
  withApi(async (api) => {
    const inMatrix = new Set(MATRIX.map(([operation]) => operation));
    const inApi = new Set(listOperations(api.deps).map(({ spec }) => spec.id));
    expect([...inApi].filter((id) => !inMatrix.has(id))).toEqual([]);
    expect([...inMatrix].filter((id) => !inApi.has(id))).toEqual([]);
  }),
);

test.each(MATRIX)(
  "%s on %s answers as in the access matrix: %s",
  async (operationId, subject, statuses) => {
    await withApi(async (api) => {
      const operation = listOperations(api.deps).find(
        ({ spec }) => spec.id === operationId,
      ) as Operation;
      const expected = statuses.split(" ").map(Number);
      const actual: number[] = [];
      for (const actor of ACTORS) {
        const fixtures = await makeAccessFixtures(api);
        const answer = await api.ask(operation.method, fixtures.path(operation, subject), {
          as: fixtures.cookies[actor],
          ...(operation.spec.body ? { body: fixtures.body(operation.spec.id, subject) } : {}),
          ...(operation.spec.file ? fileOf(operation.spec.file.type) : {}),
        });
        actual.push(answer.status);
        const maySeeData = actor === "owner" || actor === MAY_SEE_OTHERS;
        if (!maySeeData && answer.text.includes(CANARY))
          throw new Error(`The answer shows the owner's data to ${actor}`);
      }
      expect(actual).toEqual(expected);
    })();
  },
);

const fileOf = (type: string) => ({
  body: type === "application/zip" ? packArchive(EMPTY_ARCHIVE) : TRAINING,
  headers: { "content-type": type },
});
