import { expect, test } from "bun:test";
import { makeSignedIn, makeUser } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";

/** Creates three users that no other test creates, and a superuser who lists them. */
async function withUsers(
  work: (
    list: (query: string) => Promise<{ status: number; names: (string | null)[]; total: number }>,
    api: Api,
    as: string,
  ) => Promise<void>,
) {
  await withApi(async (api) => {
    await makeUser(api, { email: "zoe-list@example.com", name: "Ångström 100% A_B" });
    await makeUser(api, { email: "yan-list@example.com", name: "Beth" });
    await makeUser(api, { email: "xavier-list@example.com", name: null, isActive: false });
    const { as } = await makeSignedIn(api, { roleSlug: "superuser", email: "boss@example.org" });
    const list = async (query: string) => {
      const answer = await api.get(`/api/v1/users?searchString=-list@&${query}`, { as });
      const items = (answer.json.items ?? []) as { name: string | null }[];
      return {
        status: answer.status,
        names: items.map(({ name }) => name),
        total: answer.json.total,
      };
    };
    await work(list, api, as);
  })();
}

const [A, B] = ["Ångström 100% A_B", "Beth"];

test.each([
  ["orderBy=name", [B, A, null]],
  ["orderBy=name&sortOrder=desc", [A, B, null]],
  ["orderBy=email", [null, B, A]],
  ["orderBy=email&sortOrder=desc", [A, B, null]],
  ["orderBy=createdAt", [A, B, null]],
  ["isActive=false", [null]],
  ["isActive=1&orderBy=email", [B, A]],
  ["createdAfter=2100-01-01T00:00:00Z", []],
  ["createdBefore=2100-01-01T00:00:00%2B02:00", [A, B, null]],
  ["pageSize=1&currentPage=2&orderBy=email", [B]],
])("accounts are listed by %s", async (query, names) => {
  await withUsers(async (list) => {
    expect((await list(query)).names).toEqual(names);
  });
});

test("the total is correct on every page, even past the end", async () => {
  await withUsers(async (list) => {
    expect(await list("currentPage=9&pageSize=2")).toEqual({ status: 200, names: [], total: 3 });
  });
});

test.each([
  ["angstrom", 1],
  ["100%25", 1],
  ["A_B", 1],
  ["%25", 1],
  ["_", 1],
  ["ZOE-LIST", 1],
  ["%5C", 0],
])("a search for %s takes wildcards literally", async (search, total) => {
  await withUsers(async (_list, api, as) => {
    const answer = await api.get(
      `/api/v1/users?searchString=${search}&createdAfter=2020-01-01T00:00:00Z`,
      { as },
    );
    const matches = answer.json.items.filter(({ email }: { email: string }) =>
      email.includes("-list@"),
    );
    expect(matches).toHaveLength(total);
  });
});

test.each([
  "orderBy=nonsense",
  "pageSize=0",
  "pageSize=101",
  "isActive=maybe",
  "createdAfter=2026-02-30T00:00:00Z",
  "createdAfter=yesterday",
  "createdAfter=2026-01-01T00:00:00",
  "nonsense=1",
])("listing accounts by %s is refused", async (query) => {
  await withUsers(async (_list, api, as) => {
    expectProblem(await api.get(`/api/v1/users?${query}`, { as }), 422, "invalid_request");
  });
});

test("a listed account contains no password or hash", async () => {
  await withUsers(async (_list, api, as) => {
    const answer = await api.get("/api/v1/users?searchString=-list@", { as });
    expectStatus(answer, 200);
    expect(answer.text).not.toContain("argon2");
    expect(answer.text).not.toContain("assword");
  });
});
