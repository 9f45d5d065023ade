import { expect, test } from "bun:test";
import fc from "fast-check";
import { listOperations } from "#src/app.ts";
import { withApi } from "#test/harness.ts";
import { makeSignedIn } from "#test/make.ts";

/** Texts that have broken something somewhere. */
const nastyText = fc.oneof(
  fc.constantFrom(
    "\u0000",
    "\ud800",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "%zz",
    "__proto__",
    "null",
    "[]",
    "{}",
    "-1",
    "1e400",
    "99999999999999999999",
    "\u202e",
    "ß",
    "İ",
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.nat({ max: 20_000 }).map((length) => "a".repeat(length)),
);
const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.double(),
  fc.integer(),
  fc.constantFrom(null, true, [], {}, [[]]),
  fc.jsonValue(),
);

test(
  "no input to any operation is answered with a 500",
  withApi(async (api) => {
    const operations = listOperations(api.deps);
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const asked = fc.record({
      operation: fc.constantFrom(...operations),
      params: fc.array(nastyText, { minLength: 2, maxLength: 2 }),
      query: fc.dictionary(
        fc.oneof(fc.constantFrom("searchString", "orderBy", "pageSize", "tags", "slug", "name"), nastyText),
        nastyText,
        { maxKeys: 4 },
      ),
      body: fc.oneof(
        nastyValue.map((value) => JSON.stringify(value) ?? ""),
        nastyText,
      ),
      contentType: fc.constantFrom(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=utf-16",
      ),
      isSignedIn: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(asked, async ({ operation, params, query, body, contentType, isSignedIn }) => {
        let place = 0;
        const path = operation.path.replaceAll(
          /:[A-Za-z]+/g,
          () => encodeURIComponent((params[place++] ?? "").toWellFormed()) || "x",
        );
        const search = Object.entries(query).map(
          ([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
        );
        const hasBody = operation.method !== "GET";
        const answer = await api.ask(operation.method, `${path}?${search.join("&")}`, {
          ...(isSignedIn ? { as } : {}),
          ...(hasBody ? { body, headers: { "content-type": contentType } } : {}),
        });
        expect(answer.status).not.toBe(500);
      }),
      { numRuns: 1000 },
    );
  }),
);
