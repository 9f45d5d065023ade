import { expect, test } from "bun:test";
import { makeSignedIn, PASSWORD } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { SIGN_IN, SIGN_UP } from "#test/paths.ts";

const person = { email: "ada@example.com", password: PASSWORD, confirmPassword: PASSWORD };
const json = JSON.stringify(person);

/** Sends bytes that need not be text. */
async function sendBytes(
  api: Api,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
) {
  const response = await api.app.fetch(
    new Request(`http://localhost${path}`, { method: "POST", body, headers }),
  );
  const text = await response.text();
  const json = text === "" ? undefined : JSON.parse(text);
  return {
    status: response.status,
    headers: response.headers,
    bytes: new Uint8Array(),
    text,
    json,
  };
}

test.each([
  ["text/plain"],
  ["text/json"],
  ["application/xml"],
  ["application/problem+json"],
  ["application/x-www-form-urlencoded"],
  ["multipart/form-data; boundary=x"],
  ["application/json; charset=utf-16"],
  ['application/json; charset="iso-8859-1"'],
  [""],
])("a JSON body sent as %p is refused with 415", (contentType) =>
  withApi(async (api) => {
    const answer = await api.post(SIGN_UP, {
      body: json,
      headers: { "content-type": contentType },
    });
    expectProblem(answer, 415, "unsupported_media_type");
  })(),
);

test(
  "a compressed body is refused with 415",
  withApi(async (api) => {
    const answer = await sendBytes(api, SIGN_UP, Bun.gzipSync(json), {
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    expectProblem(answer, 415, "unsupported_media_type", "Send an identity content encoding");
  }),
);

test.each([
  ["application/json"],
  ["Application/JSON; Charset=UTF-8"],
  ['application/json;charset="utf-8"'],
])("a body of %p is read", (contentType) =>
  withApi(async (api) => {
    expectStatus(
      await api.post(SIGN_UP, { body: json, headers: { "content-type": contentType } }),
      201,
    );
  })(),
);

test.each([
  ["nothing", "", "The body is not valid JSON"],
  ["a brace", "{", "The body is not valid JSON"],
  ["a trailing comma", '{"a":1,}', "The body is not valid JSON"],
  ["two values", "{} {}", "The body is not valid JSON"],
  ["NaN", '{"a":NaN}', "The body is not valid JSON"],
  ["two byte order marks", `\ufeff\ufeff${json}`, "The body is not valid JSON"],
  ["a byte order mark behind it", `${json}\ufeff`, "The body is not valid JSON"],
  ["100,000 brackets", "[".repeat(100_000), "The body is nested more than 32 deep"],
  ["a nesting of 33", `${"[".repeat(33)}${"]".repeat(33)}`, "The body is nested more than 32 deep"],
])("a body of %s is refused with 400", (_what, body, detail) =>
  withApi(async (api) => {
    expectProblem(await api.post(SIGN_UP, { body }), 400, "malformed_body", detail);
  })(),
);

test(
  "a byte order mark before a body is ignored",
  withApi(async (api) => {
    expectStatus(await api.post(SIGN_UP, { body: `\ufeff${json}` }), 201);
  }),
);

test(
  "brackets inside a text, and a nesting of 32, are not too deep",
  withApi(async (api) => {
    const text = { ...person, name: `\\"${"[".repeat(60)}` };
    expectStatus(await api.post(SIGN_UP, { body: text }), 201);
    expectStatus(await api.post(SIGN_UP, { body: `${"[".repeat(32)}${"]".repeat(32)}` }), 422);
  }),
);

test.each([
  ["an overlong form", [0xc0, 0xaf]],
  ["a lone continuation byte", [0x80]],
  ["a surrogate in UTF-8", [0xed, 0xa0, 0x80]],
  ["Latin-1", [0xe9]],
])("%s in a body is refused with 400 and never repaired", (_what, bytes) =>
  withApi(async (api) => {
    const body = Buffer.concat([
      Buffer.from('{"email":"'),
      Buffer.from(bytes as number[]),
      Buffer.from('"}'),
    ]);
    const asJson = await sendBytes(api, SIGN_UP, new Uint8Array(body), {
      "content-type": "application/json",
    });
    expectProblem(asJson, 400, "malformed_body", "The body is not valid UTF-8");
    const form = new Uint8Array(
      Buffer.concat([Buffer.from("username=a&password="), Buffer.from(bytes as number[])]),
    );
    const asForm = await sendBytes(api, SIGN_IN, form, {
      "content-type": "application/x-www-form-urlencoded",
    });
    expectProblem(asForm, 400, "malformed_body", "The body is not valid UTF-8");
  })(),
);

test(
  "a body of 1 MiB is read and one byte more is refused with 413, with and without a declared length",
  withApi(async (api) => {
    const padded = (length: number) => `${json}${" ".repeat(length - json.length)}`;
    const streamed = (text: string) =>
      new Request(`http://localhost${SIGN_UP}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: new ReadableStream({
          start(controller) {
            const bytes = Buffer.from(text);
            for (let at = 0; at < bytes.length; at += 65_536)
              controller.enqueue(bytes.subarray(at, at + 65_536));
            controller.close();
          },
        }),
      });
    expect((await api.app.fetch(streamed(padded(1_048_577)))).status).toBe(413);
    expectProblem(await api.post(SIGN_UP, { body: padded(1_048_577) }), 413, "body_too_large");
    expect((await api.app.fetch(streamed(padded(1_048_576)))).status).toBe(201);
    expectStatus(await api.post(SIGN_UP, { body: padded(1_048_576) }), 409);
  }),
);

test(
  "sign-in takes a form of either kind, and JSON",
  withApi(async (api) => {
    await api.post(SIGN_UP, { body: person });
    const fields = { username: person.email, password: PASSWORD };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    for (const body of [new URLSearchParams(fields), form]) {
      const answer = await api.app.fetch(
        new Request(`http://localhost${SIGN_IN}`, { method: "POST", body }),
      );
      expect(answer.status).toBe(204);
    }
    expectStatus(await api.post(SIGN_IN, { body: fields }), 204);
  }),
);

test.each([
  [
    "a field given twice",
    "application/x-www-form-urlencoded",
    "username=a&username=b&password=c",
    422,
  ],
  [
    "an unknown field",
    "application/x-www-form-urlencoded",
    "username=a&password=b&grant_type=c",
    422,
  ],
  ["a boundary that never comes", "multipart/form-data; boundary=x", "username=a", 400],
  ["no boundary at all", "multipart/form-data", "--x\r\n\r\n--x--", 400],
  [
    "a file for a text",
    "multipart/form-data; boundary=x",
    '--x\r\nContent-Disposition: form-data; name="username"; filename="a.txt"\r\n\r\nhi\r\n--x--\r\n',
    422,
  ],
])("a form with %s is refused", (_what, contentType, body, status) =>
  withApi(async (api) => {
    expectStatus(
      await api.post(SIGN_IN, { body, headers: { "content-type": contentType } }),
      status,
    );
  })(),
);

test(
  "422 lists the faults of path, query and body at once, each by a JSON pointer, and repeats no value",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const body = {
      email: "canary-1",
      isActive: "canary-2",
      "canary/~3": 1,
      password: "c4",
      name: ["canary-5"],
    };
    const answer = await api.patch("/api/v1/users/canary-6", { as, body });
    expectProblem(
      answer,
      422,
      "invalid_request",
      "The request does not fit what this operation takes",
    );
    expect(
      Object.fromEntries(
        answer.json.errors.map((e: { field: string; code: string }) => [e.field, e.code]),
      ),
    ).toEqual({
      "/userId": "too_short",
      "/canary~1~03": "unknown",
      "/email": "format",
      "/password": "too_short",
      "/isActive": "type",
      "/name": "type",
    });
    expect(answer.text).not.toMatch(/canary-\d|c4/);
  }),
);

test(
  "422 lists missing fields and texts that cannot be stored together",
  withApi(async (api) => {
    const answer = await api.post(SIGN_UP, {
      body: '{"name":"a\\u0000","password":"\\ud800aaaaaaaa"}',
    });
    expectProblem(answer, 422, "invalid_request");
    expect(
      answer.json.errors.map((e: { field: string; code: string }) => `${e.field} ${e.code}`).sort(),
    ).toEqual(["/confirmPassword required", "/email required", "/name text", "/password text"]);
  }),
);

test(
  "however many faults there are, and however long their names, 100 are listed in short",
  withApi(async (api) => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`${"x".repeat(300)}${i}`, "\0"]),
    );
    const few = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, "\0"]));
    expectProblem(await api.post(SIGN_UP, { body: many }), 422, "invalid_request");
    const answer = await api.post(SIGN_UP, { body: few });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors).toHaveLength(100);
  }),
);

test.each([
  ["NUL", '{"email":"a\\u0000@example.com"}'],
  ["a lone high surrogate", '{"email":"\\ud83d@example.com"}'],
  ["a lone low surrogate", '{"email":"\\ude00@example.com"}'],
  ["NUL in a name of a field", '{"a\\u0000":1}'],
  ["a lone surrogate deep inside", '{"name":[["\\ud800"]]}'],
])("%s in a body is a 422, never a 500", (_what, body) =>
  withApi(async (api) => {
    const answer = await api.post(SIGN_UP, { body });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.some(({ code }: { code: string }) => code === "text")).toBe(true);
  })(),
);

test.each([
  ["[]"],
  ["null"],
  ["1"],
  ['"text"'],
  ['{"__proto__":{"email":"a@b.cc"}}'],
  ['{"constructor":1}'],
])("a body of %s is a 422", (body) =>
  withApi(async (api) =>
    expectProblem(await api.post(SIGN_UP, { body }), 422, "invalid_request"),
  )(),
);

test(
  "values of a JSON body are not coerced, and unknown fields are refused",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const account = { email: "b@example.com", password: PASSWORD };
    for (const extra of [
      { isActive: "true" },
      { isActive: 1 },
      { name: 5 },
      { role: "superuser" },
    ]) {
      expectProblem(
        await api.post("/api/v1/users", { as, body: { ...account, ...extra } }),
        422,
        "invalid_request",
      );
    }
    expectStatus(await api.post("/api/v1/users", { as, body: account }), 201);
  }),
);
