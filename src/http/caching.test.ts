import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";

const TAGGED = [
  ["a list of exercises", `${API}/exercises?scope=user`],
  ["an exercise", `${API}/exercises/ID`],
  ["an exercise that was searched for", `${API}/exercises/criteria?name=Zq%20One`],
  ["a catalog", `${API}/catalogs/equipment`],
  ["a catalog's entry", `${API}/catalogs/muscle-groups/1`],
] as const;

/** A signed-in person with one exercise, "Zq One", whose id stands in `path` for ID. */
async function ready(api: Api, path: string) {
  const { user, as } = await makeSignedIn(api);
  const id = await makeExercise(api, { owner: user, name: "Zq One" });
  return { user, as, path: path.replace("ID", id), id };
}

for (const [what, given] of TAGGED) {
  test(
    `${what} carries a strong ETag and is private to its user`,
    withApi(async (api) => {
      const { as, path } = await ready(api, given);
      const [first, second] = [await api.get(path, { as }), await api.get(path, { as })];
      expectStatus(first, 200);
      expect(first.headers.get("etag")).toMatch(/^"[a-z0-9-]+"$/);
      expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
      expect(first.headers.get("cache-control")).toBe("private, no-cache");
      expect(first.headers.get("vary")).toBe("Cookie, Accept-Encoding");
    }),
  );

  test.each<[string, (tag: string) => string, number]>([
    ["its tag", (tag) => tag, 304],
    ["its tag, weak", (tag) => `W/${tag}`, 304],
    ["a list with its tag last", (tag) => `"a", W/"b" ,${tag}`, 304],
    ["a list with its tag first", (tag) => `${tag},"b"`, 304],
    ["any tag at all", () => "*", 304],
    ["any tag at all, spaced", () => " * ", 304],
    ["another tag", () => '"a"', 200],
    ["a list of others", () => '"a", W/"b"', 200],
    ["its tag without quotes", (tag) => tag.slice(1, -1), 200],
    ["its tag in another case", (tag) => `w/${tag}`, 200],
    ["nothing", () => "", 200],
    ["garbage", () => ',,"', 200],
  ])(`${what}, requested with %s, is 200 or 304 as RFC 9110 says`, (_how, header, status) =>
    withApi(async (api) => {
      const { as, path } = await ready(api, given);
      const full = await api.get(path, { as });
      const tag = full.headers.get("etag") as string;
      for (const method of ["GET", "HEAD"]) {
        const answer = await api.ask(method, path, {
          as,
          headers: { "if-none-match": header(tag) },
        });
        expectStatus(answer, status);
        expect(answer.headers.get("etag")).toBe(tag);
        expect(answer.text).toBe(status === 200 && method === "GET" ? full.text : "");
        if (status === 304) expect(answer.headers.get("content-type")).toBeNull();
      }
    })(),
  );
}

test(
  "after a write the old tag fetches the new list",
  withApi(async (api) => {
    const { user, as, path } = await ready(api, TAGGED[0][1]);
    const headers = {
      "if-none-match": (await api.get(path, { as })).headers.get("etag") as string,
    };
    expectStatus(await api.get(path, { as, headers }), 304);
    await makeExercise(api, { owner: user, name: "Zq Two" });
    const answer = await api.get(path, { as, headers });
    expectStatus(answer, 200);
    expect(answer.json.total).toBe(2);
  }),
);

test(
  "If-None-Match reveals nothing to users who are signed out or have no permission",
  withApi(async (api) => {
    const { path } = await ready(api, TAGGED[1][1]);
    const headers = { "if-none-match": "*" };
    expectStatus(await api.get(path, { headers }), 401);
    expectStatus(await api.get(path, { as: (await makeSignedIn(api)).as, headers }), 404);
  }),
);

const GZIP = { "accept-encoding": "gzip, deflate, br" };

test(
  "a client that accepts gzip gets the same list in a quarter of the bytes, with its own ETag",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const plain = await api.get(`${API}/exercises`, { as });
    const response = await api.app.fetch(
      new Request(`http://localhost${API}/exercises`, { headers: { cookie: as, ...GZIP } }),
    );
    const sent = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("etag")).not.toBe(plain.headers.get("etag"));
    expect(Buffer.from(Bun.gunzipSync(sent)).equals(plain.bytes)).toBe(true);
    expect(sent.length * 4).toBeLessThan(plain.bytes.length);
  }),
);

test.each<[string, string, boolean]>([
  ["gzip alone", "gzip", true],
  ["gzip with a weight", "br;q=1.0, gzip; q=0.8", true],
  ["gzip in capitals", "GZIP", true],
  ["gzip refused", "gzip;q=0, br", false],
  ["gzip refused in thousandths", "gzip; q=0.000", false],
  ["another coding", "br, x-gzipped", false],
  ["nothing", "", false],
])("a list is compressed or not for Accept-Encoding %s (%s)", (_what, header, isZipped) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const headers = { cookie: as, "accept-encoding": header };
    const { headers: sent } = await api.app.fetch(
      new Request(`http://localhost${API}/exercises`, { headers }),
    );
    expect(sent.get("content-encoding")).toBe(isZipped ? "gzip" : null);
    expect(sent.get("vary")).toBe("Cookie, Accept-Encoding");
  })(),
);

test(
  "both ETags of a list give 304 in either form, and match the stored version in If-Match",
  withApi(async (api) => {
    const { as, path } = await ready(api, TAGGED[0][1]);
    const { as: anyone } = await makeSignedIn(api);
    const plain = await api.get(`${API}/exercises`, { as: anyone });
    const tags = [
      plain,
      await api.ask("HEAD", `${API}/exercises`, { as: anyone, headers: GZIP }),
    ].map(({ headers }) => headers.get("etag") as string);
    expect(new Set(tags).size).toBe(2);
    for (const tag of tags) {
      for (const form of [{}, GZIP]) {
        const answer = await api.get(`${API}/exercises`, {
          as: anyone,
          headers: { ...form, "if-none-match": tag },
        });
        expectStatus(answer, 304);
        expect(answer.headers.get("etag")).toBe(tag);
      }
    }
    const { id } = (await api.get(path, { as })).json.items[0];
    const read = await api.get(`${API}/exercises/${id}`, { as });
    const zipped = read.headers.get("etag")?.replace(/"$/, '-gz"') as string;
    const change = { as, body: { name: "Zq Changed" }, headers: { "if-match": zipped } };
    expectStatus(await api.patch(`${API}/exercises/user/${id}`, change), 200);
    expectStatus(await api.patch(`${API}/exercises/user/${id}`, change), 412);
  }),
);

test(
  "an answer that fits a packet is not compressed",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const path = `${API}/catalogs/equipment/1`;
    const answer = await api.app.fetch(
      new Request(`http://localhost${path}`, { headers: { cookie: as, ...GZIP } }),
    );
    expect(answer.headers.get("content-encoding")).toBeNull();
  }),
);
