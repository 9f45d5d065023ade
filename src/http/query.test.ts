import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn, makeUser } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES, USERS } from "#test/paths.ts";

type Fault = { field: string; code: string };

test.each([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
])("isActive=%s is understood as %p", (text, isActive) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const users = [
      await makeUser(api, { name: "Zq Here" }),
      await makeUser(api, { name: "Zq Gone", isActive: false }),
    ];
    const answer = await api.get(`${USERS}?searchString=zq&isActive=${text}`, { as });
    expectStatus(answer, 200);
    expect(answer.json.items.map(({ id }: { id: string }) => id)).toEqual([
      users[isActive ? 0 : 1]?.id,
    ]);
  })(),
);

test.each(["yes", "TRUE", "2", ""])("isActive=%s is no boolean", (text) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const answer = await api.get(`${USERS}?isActive=${text}`, { as });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors).toEqual([
      { field: "/isActive", code: "type", message: "Must be a boolean" },
    ]);
  })(),
);

test(
  "a repeated key is an array, and so is a key given once",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    for (const muscle of ["chest", "biceps", "calves"]) {
      await makeExercise(api, { owner, name: `Zq ${muscle}`, primary: [muscle] });
    }
    const idOf = async (name: string) =>
      (await api.get(`/api/v1/catalogs/muscle-groups?searchString=${name}`, { as })).json[0]
        .id as number;
    const [chest, calves] = [await idOf("chest"), await idOf("calves")];
    const names = async (query: string) =>
      (await api.get(`${EXERCISES}?scope=user&${query}`, { as })).json.items.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names(`primaryMuscles=${chest}`)).toEqual(["Zq chest"]);
    expect(await names(`primaryMuscles=${chest}&primaryMuscles=${calves}`)).toEqual([
      "Zq calves",
      "Zq chest",
    ]);
  }),
);

test.each([
  ["a plus is a space", "searchString=zq+one"],
  ["an escape is what it stands for", "%73earchString=zq%20one"],
  ["empty pairs are nothing", "&&searchString=zq%20one&"],
])("in a query %s", (_what, query) =>
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: "Zq One" });
    await makeExercise(api, { owner, name: "Zq Two" });
    expect((await api.get(`${EXERCISES}?${query}`, { as })).json.total).toBe(1);
  })(),
);

test.each<[string, Fault[]]>([
  ["pageSize=20&pageSize=20", [{ field: "/pageSize", code: "repeated" }]],
  ["pageSize=%zz", [{ field: "/pageSize", code: "format" }]],
  ["searchString=%ff", [{ field: "/searchString", code: "format" }]],
  ["%ff=1", [{ field: "/", code: "format" }]],
  ["searchString=a%00", [{ field: "/searchString", code: "text" }]],
  ["nope=1", [{ field: "/nope", code: "unknown" }]],
  ["a~/b=1", [{ field: "/a~0~1b", code: "unknown" }]],
  ["a~/b=1&a~/b=2", [{ field: "/a~0~1b", code: "unknown" }]],
  ["primary_muscles=1&primary_muscles=2", [{ field: "/primary_muscles", code: "unknown" }]],
  ["__proto__=1", [{ field: "/__proto__", code: "unknown" }]],
  ["pageSize=", [{ field: "/pageSize", code: "type" }]],
  ["pageSize=1.0", [{ field: "/pageSize", code: "type" }]],
  ["pageSize=1e1", [{ field: "/pageSize", code: "type" }]],
  ["pageSize=0x10", [{ field: "/pageSize", code: "type" }]],
  ["pageSize=101", [{ field: "/pageSize", code: "range" }]],
  ["currentPage=0", [{ field: "/currentPage", code: "range" }]],
  ["currentPage=999999999999999", [{ field: "/currentPage", code: "range" }]],
  ["tags=1&tags=32768", [{ field: "/tags/1", code: "range" }]],
  [Array(51).fill("tags=1").join("&"), [{ field: "/tags", code: "too_many" }]],
  [`searchString=${"a".repeat(101)}`, [{ field: "/searchString", code: "too_long" }]],
  ["scope=canary", [{ field: "/scope", code: "choice" }]],
  [
    "scope=canary&pageSize=x&nope=1&force=%zz&category=a&category=b",
    [
      { field: "/category", code: "repeated" },
      { field: "/force", code: "format" },
      { field: "/nope", code: "unknown" },
      { field: "/pageSize", code: "type" },
      { field: "/scope", code: "choice" },
    ],
  ],
])("a query of %.60s is refused, with every fault", (query, faults) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const answer = await api.get(`${EXERCISES}?${query}`, { as });
    expectProblem(answer, 422, "invalid_request");
    const given = answer.json.errors.map(({ field, code }: Fault) => ({ field, code }));
    expect(given.toSorted((a: Fault, b: Fault) => a.field.localeCompare(b.field))).toEqual(faults);
    expect(answer.text).not.toContain("canary");
  })(),
);

test(
  "a query of 8,192 characters is read, a longer one is 414 (the server itself refuses more than 16 KiB)",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const query = (length: number) =>
      `${EXERCISES}?pageSize=1${"&".repeat(length - "pageSize=1".length)}`;
    expectStatus(await api.get(query(8192), { as }), 200);
    for (const length of [8193, 12_000])
      expectProblem(await api.get(query(length), { as }), 414, "uri_too_long");
  }),
);

test(
  "however many faults a query has, and however long their names, they are listed in short",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const repeated = Array.from(
      { length: 150 },
      (_, i) => `${"x".repeat(20)}${i}=1&${"x".repeat(20)}${i}=1`,
    );
    const many = await api.get(`${EXERCISES}?${repeated.join("&")}`, { as });
    expectProblem(many, 422, "invalid_request");
    expect(many.json.errors).toHaveLength(100);
    const long = await api.get(`${EXERCISES}?${"y".repeat(3000)}=1&${"y".repeat(3000)}=2`, { as });
    expect(long.json.errors[0].field).toHaveLength(200);
  }),
);
