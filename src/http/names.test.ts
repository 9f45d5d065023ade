import { expect, test } from "bun:test";
import { makeSignedIn, makeUser, PASSWORD, signInFor } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { API, SIGN_UP } from "#test/paths.ts";

const signingUp = (email: string, name?: string) => ({
  body: {
    email,
    password: PASSWORD,
    confirmPassword: PASSWORD,
    ...(name === undefined ? {} : { name }),
  },
});

test.each([
  ["t\u00e9st@example.com", "te\u0301st@example.com"],
  ["\u212bngstrom@example.com", "A\u030angstrom@example.com"],
  ["TE\u0301ST2@example.com", "t\u00e9st2@EXAMPLE.com"],
])("an address is taken however its letters are composed (%j, %j)", (first, second) =>
  withApi(async (api) => {
    expectStatus(await api.post(SIGN_UP, signingUp(first)), 201);
    expectProblem(await api.post(SIGN_UP, signingUp(second)), 409, "access.email_taken");
  })(),
);

test(
  "an account that signed up with decomposed letters signs in with composed ones, and with decomposed ones",
  withApi(async (api) => {
    expectStatus(await api.post(SIGN_UP, signingUp("ame\u0301lie@example.com")), 201);
    expect((await signInFor(api, "am\u00e9lie@example.com")).access).not.toBe("");
    expect((await signInFor(api, "Ame\u0301lie@example.com")).access).not.toBe("");
  }),
);

const INVISIBLE = [
  "\u200b",
  "\u00ad",
  "\u202e",
  "\u2060",
  "\u200e",
  "\u200d",
  "\u200c",
  "\u061c",
  "\u{e0041}",
  "\u001b",
  // Invisible letters, marks and a symbol.
  "\u3164",
  "\u115f",
  "\u034f",
  "\ufe0f",
  "\u{e0100}",
  "\u2800",
];
test.each(INVISIBLE)("%j is refused in an address, wherever one is given", (character) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const trainer = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    for (const email of [
      `a${character}b@example.com`,
      `${character}abc@example.com`,
      `abc${character}@example.com`,
    ]) {
      const answers = [
        await api.post(SIGN_UP, signingUp(email)),
        await api.post(`${API}/users`, { as, body: { email, password: PASSWORD } }),
        await api.post(`${API}/clients`, {
          as: trainer.as,
          body: { email, scopes: ["read_history"] },
        }),
      ];
      for (const answer of answers) expectProblem(answer, 422, "invalid_request");
    }
  })(),
);

test("an address may have any letters before the @, and is documented so", () =>
  withApi(async (api) => {
    expectStatus(await api.post(SIGN_UP, signingUp("\u00fc@example.com")), 201);
    const { json } = await api.get("/openapi.json");
    const { email } =
      json.paths[SIGN_UP].post.requestBody.content["application/json"].schema.properties;
    expect(email.format).toBe("idn-email");
  })());

/** Every kind of name that operations take, and the field of its fault. */
const NAMED: [
  what: string,
  method: "post" | "patch",
  path: string,
  bodyOf: (name: string) => object,
  field: string,
][] = [
  ["an account", "post", SIGN_UP, (name) => signingUp("named@example.com", name).body, "/name"],
  [
    "an account that a superuser makes",
    "post",
    `${API}/users`,
    (name) => ({ email: "made@example.com", password: PASSWORD, name }),
    "/name",
  ],
  ["a routine", "post", `${API}/routines`, (name) => ({ name, exercises: [] }), "/name"],
  ["a plan", "post", `${API}/plans`, (name) => ({ name, routines: [] }), "/name"],
  ["a workout", "post", `${API}/workouts`, (name) => ({ name, timeZone: "UTC" }), "/name"],
  [
    "an exercise of a workout",
    "post",
    `${API}/workouts`,
    (name) => ({ timeZone: "UTC", exercises: [{ exerciseName: name, mode: "reps" }] }),
    "/exercises/0/exerciseName",
  ],
  [
    "an exercise of a routine",
    "post",
    `${API}/routines`,
    (name) => ({ name: "Legs", exercises: [{ exerciseName: name, mode: "reps", sets: 1 }] }),
    "/exercises/0/exerciseName",
  ],
  [
    "an exercise",
    "post",
    `${API}/exercises/user`,
    (name) => ({ name, primaryMuscles: [1], difficultyLevel: "expert", category: "strength" }),
    "/name",
  ],
  ["an entry of the catalog", "post", `${API}/catalogs/equipment`, (name) => ({ name }), "/name"],
  [
    "the meaning of a name in a file",
    "patch",
    `${API}/imports/names`,
    (name) => ({ names: [{ name, exerciseId: null }] }),
    "/names/0/name",
  ],
];
const UNPRINTABLE = [
  "\u001b]0;x\u0007",
  "\u0007",
  "\u009b",
  "\u200b",
  "\u202e",
  "\u00ad",
  "\u2066",
  "\u200d",
  "\u{e0020}",
  "\u3164",
  "\uffa0",
  "\u034f",
  "\ufe0f",
  "\u{e0100}",
  "\u2800",
];

test.each(NAMED)(
  "%s takes no control, format or invisible characters in its name",
  (_what, method, path, bodyOf, field) =>
    withApi(async (api) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      for (const characters of UNPRINTABLE) {
        const answer = await api[method](path, { as, body: bodyOf(`Bench${characters}press`) });
        expectProblem(answer, 422, "invalid_request");
        expect(answer.json.errors.map((fault: { field: string }) => fault.field)).toEqual([field]);
      }
      expectProblem(
        await api[method](path, { as, body: bodyOf("\u3164\u115f\u2800\u3164") }),
        422,
        "invalid_request",
      );
      const spelt = await api[method](path, { as, body: bodyOf("Übung mit Gewicht") });
      expect([200, 201]).toContain(spelt.status);
    })(),
);

test.each([
  ["Persian with a joiner that its script needs", "می\u200cخواهم"],
  ["Sinhala with one", "ක්\u200dෂණ"],
  ["a family of pictographs", "Zq 👩\u200d👩\u200d👧"],
  ["a pictograph in colour, and a keycap", "Zq \u2764\ufe0f 1\ufe0f\u20e3"],
  ["Han of one of its forms, and Mongolian", "\u845b\u{e0100}\u57ce \u182e\u180b\u1824"],
  ["a pictograph of a skin tone", "Zq 🏋🏽\u200d♀\ufe0f"],
])("a name may be %s", (_what, name) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const made = await api.post(`${API}/routines`, { as, body: { name, exercises: [] } });
    expectStatus(made, 201);
    expect(made.json.name).toBe(name.normalize("NFC"));
  })(),
);

test(
  "names are the same however their letters are composed, and are found by either",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const body = (name: string) => ({
      name,
      primaryMuscles: [1],
      difficultyLevel: "expert",
      category: "strength",
    });
    const [composed, decomposed] = ["Zq \u00dcbung", "Zq U\u0308bung"];
    expectStatus(await api.post(`${API}/exercises/user`, { as, body: body(decomposed) }), 201);
    expectProblem(
      await api.post(`${API}/exercises/user`, { as, body: body(composed) }),
      409,
      "exercises.name_taken",
    );
    for (const text of [composed, decomposed]) {
      const found = await api.get(`${API}/exercises/criteria?name=${encodeURIComponent(text)}`, {
        as,
      });
      expect(found.json.name).toBe(composed);
      const listed = await api.get(`${API}/exercises?searchString=${encodeURIComponent(text)}`, {
        as,
      });
      expect(listed.json.total).toBe(1);
    }
  }),
);

test(
  "an account is found by a search in either form",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    await makeUser(api, { name: "Zq Ren\u00e9e" });
    for (const text of ["zq ren\u00e9e", "zq rene\u0301e"]) {
      const listed = await api.get(`${API}/users?searchString=${encodeURIComponent(text)}`, { as });
      expect(listed.json.total).toBe(1);
    }
  }),
);
