import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { statementsOf } from "#test/transaction.ts";

const CATALOGS = [
  ["equipment", "equipment", "Equipment"],
  ["muscle-groups", "muscle_groups", "Muscle group"],
  ["exercise-tags", "exercise_tags", "Exercise tag"],
] as const;
type Entry = { id: number; name: string };

for (const [path, table, noun] of CATALOGS) {
  const url = `/api/v1/catalogs/${path}`;

  test(
    `a user lists and reads ${path}`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const list = await api.get(url, { as });
      expectStatus(list, 200);
      expect(list.json.length).toBeGreaterThan(15);
      expect(list.json).toEqual((list.json as Entry[]).toSorted((a, b) => a.id - b.id));
      const [first] = list.json as [Entry];
      const entry = await api.get(`${url}/${first.id}`, { as });
      expect(entry.json).toEqual(first);
      expect(entry.headers.get("etag")).toMatch(/^"/);
      const revalidated = await api.get(`${url}/${first.id}`, {
        as,
        headers: { "if-none-match": entry.headers.get("etag") ?? "" },
      });
      expectStatus(revalidated, 304);
      expect(revalidated.text).toBe("");
    }),
  );

  test(
    `${path} can be sorted and searched, and wildcards are ordinary text`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      await api.deps.db
        .sql`insert into ${api.deps.db.sql(table)} (name) values ('zzz 100% a_b'), ('zzz élan')`;
      const names = async (query: string) => {
        const answer = await api.get(`${url}?${query}`, { as });
        expectStatus(answer, 200);
        return (answer.json as Entry[]).map(({ name }) => name);
      };
      const byName = await names("orderBy=name");
      expect(byName).toEqual(byName.toSorted());
      expect(await names("orderBy=name&sortOrder=desc")).toEqual(byName.toReversed());
      expect(await names("sortOrder=desc")).toHaveLength(byName.length);
      expect(await names("searchString=%25")).toEqual(["zzz 100% a_b"]);
      expect(await names("searchString=_")).toEqual(["zzz 100% a_b"]);
      expect(await names("searchString=%20ELAN%20")).toEqual(["zzz élan"]);
      expect(await names("searchString=%5C")).toEqual([]);
    }),
  );

  test(
    `an unknown id of ${path} is 404, an invalid one 422`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      expectProblem(
        await api.get(`${url}/32767`, { as }),
        404,
        `${table}.not_found`,
        `${noun} with ID '32767' not found`,
      );
      for (const id of ["0", "32768", "-1", "x", "1.5", "1e3", "99999999999999999999"]) {
        expectProblem(await api.get(`${url}/${id}`, { as }), 422, "invalid_request");
      }
      for (const query of [
        "orderBy=nonsense",
        "sortOrder=up",
        "nonsense=1",
        "orderBy=id&orderBy=name",
      ]) {
        expectProblem(await api.get(`${url}?${query}`, { as }), 422, "invalid_request");
      }
      expectProblem(await api.get(`${url}?nonsense=1`), 401, "access.not_authenticated");
    }),
  );

  test(
    `reading ${path} takes one statement`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      await api.get("/api/v1/access/me", { as });
      expect(await statementsOf(() => api.get(url, { as }))).toHaveLength(1);
      expect(await statementsOf(() => api.get(`${url}/1`, { as }))).toHaveLength(1);
    }),
  );
}
