import { expect, test } from "bun:test";
import { inventExercises } from "#bench/testbed/many-exercises.ts";
import type { Db } from "#db/client.ts";
import { rolledBack, statementsOf } from "#test/transaction.ts";
import { countFacets } from "./exercise-facets.queries.ts";
import { listDocuments } from "./exercise-list.queries.ts";
import { type ListCriteria, listSearchable } from "./matching-exercises.queries.ts";

const WINDOW = { limit: 20, offset: 0 };
const OTHERS = 20_000;

/** The generic plans, which connections keep, of the statements that `read` sends. */
async function plansOf({ sql }: Db, read: () => Promise<unknown>): Promise<string> {
  const plans: string[] = [];
  for (const statement of await statementsOf(read)) {
    const rows = await sql.unsafe(`explain (generic_plan) ${statement}`);
    plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
  }
  return plans.join("\n");
}

test("lists, searches and facets find exercises by an index, however many other users own", () =>
  rolledBack(async (db) => {
    const userId = await inventExercises(db, OTHERS);
    const ids = (await listSearchable(db)).slice(0, 20).map(({ id }) => id);
    const distances = ids.map((_, index) => index);
    for (const scope of ["system", "user", "all"] as const) {
      const all: ListCriteria = { userId, scope, search: null };
      const search = {
        ...all,
        search: { terms: [{ form: "sqat", corrections: ["squat"] }], catalog: { ids, distances } },
      };
      const reads = {
        list: () => listDocuments(db, all, WINDOW),
        "second page": () => listDocuments(db, all, { limit: 20, offset: 20 }),
        "by difficulty": () => listDocuments(db, { ...all, orderBy: "difficultyLevel" }, WINDOW),
        filtered: () => listDocuments(db, { ...all, equipment: [1], category: "strength" }, WINDOW),
        search: () => listDocuments(db, search, WINDOW),
        facets: () => countFacets(db, all),
        "facets of a search": () => countFacets(db, search),
      };
      for (const [name, read] of Object.entries(reads)) {
        const plan = await plansOf(db, read);
        expect(plan, `${name} in ${scope}`).not.toContain("Seq Scan on exercises");
        if (scope !== "user" && name === "search") expect(plan).toContain("exercises_pkey");
        if (scope !== "system") expect(plan).toContain("exercises_owner_name_unique");
      }
    }
  }));
