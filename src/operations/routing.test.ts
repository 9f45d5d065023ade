import { expect, test } from "bun:test";
import { connect } from "node:net";
import { type Api, withApi } from "#test/harness.ts";
import { makeSignedIn } from "#test/make.ts";
import { onSocket } from "#test/on-socket.ts";

const P = "/api/v1";

/**
 * The answer of the server on `socketPath` to exactly this request target; no client tidies the
 * path on its way.
 */
function askExactly(
  socketPath: string,
  method: string,
  target: string,
  as: string,
  body = "",
  host = "localhost",
) {
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    `Cookie: ${as}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  return new Promise<{ status: number; allow: string | null; text: string }>((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect(socketPath, () => socket.write(`${head.join("\r\n")}\r\n\r\n${body}`));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const top = received.subarray(0, end).toString();
      const text = received.subarray(end + 4);
      if (method !== "HEAD" && text.length < Number(header(top, "content-length") ?? 0)) return;
      socket.destroy();
      resolve({
        status: Number(top.split(" ")[1]),
        allow: header(top, "allow"),
        text: text.toString(),
      });
    });
    socket.on("error", reject);
    socket.on("close", () =>
      reject(new Error("The connection was closed before the answer's end")),
    );
  });
}

const header = (head: string, name: string) =>
  new RegExp(`\\r\\n${name}: ([^\\r]*)`, "i").exec(head)?.[1] ?? null;

/** Runs `work` with the application on a socket, and the cookie of a superuser. */
const served = (work: (socketPath: string, as: string, api: Api) => Promise<void>) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    await onSocket(api, (unix) => work(unix, as, api));
  });

/** What may differ between two answers to the same question. */
const comparable = (text: string) => text.replace(/"requestId":"[^"]*"/, "");

// Requests of a server go through Bun's router, those of other tests through Elysia's: nobody may
// notice which. Every row is full: Bun puts its `done` callback where one is not.
test.each<[method: string, path: string, status: number, body: string | undefined]>([
  ["GET", "/ping", 200, undefined],
  ["GET", "/ping/", 200, undefined],
  ["GET", "/ping?a=1", 200, undefined],
  ["GET", "/PING", 404, undefined],
  ["OPTIONS", `${P}/exercises/user`, 405, undefined],
  ["PUT", `${P}/users/garbage`, 404, undefined],
  ["GET", "//ping", 404, undefined],
  ["GET", "/nowhere", 404, undefined],
  ["DELETE", "/ping", 405, undefined],
  ["OPTIONS", `${P}/exercises`, 405, undefined],
  ["PUT", `${P}/exercises/criteria`, 405, undefined],
  ["GET", "/.well-known/jwks.json", 200, undefined],
  ["GET", `${P}/exercises?scope=user`, 200, undefined],
  ["GET", `${P}/exercises/?scope=user`, 200, undefined],
  ["GET", `${P}/exercises?scope=%zz`, 422, undefined],
  ["GET", `${P}/exercises/criteria`, 400, undefined],
  ["GET", `${P}/exercises/criteria/`, 400, undefined],
  ["GET", `${P}/exercises/criteria?slug=one-arm-push-up`, 200, undefined],
  ["GET", `${P}/exercises/0197c0de-0000-7000-8000-000000000000`, 404, undefined],
  ["GET", `${P}/exercises/0197C0DE-0000-7000-8000-000000000000/`, 404, undefined],
  ["GET", `${P}/exercises/0197c0de%2D0000-7000-8000-000000000000`, 404, undefined],
  ["GET", `${P}/exercises/%zz`, 422, undefined],
  ["GET", `${P}/exercises/%`, 422, undefined],
  ["GET", `${P}/exercises/%00`, 422, undefined],
  ["GET", `${P}/exercises/%ff`, 422, undefined],
  ["GET", `${P}/exercises/%ED%A0%80`, 422, undefined],
  ["GET", `${P}/exercises/%F0%9F%92%AA`, 422, undefined],
  ["GET", `${P}/exercises/a%2Fb`, 422, undefined],
  ["GET", `${P}/exercises/a+b`, 422, undefined],
  ["GET", `${P}/exercises/a/b`, 404, undefined],
  ["GET", `${P}/catalogs/equipment/1`, 200, undefined],
  ["GET", `${P}/catalogs/equipment/%31`, 200, undefined],
  ["GET", `${P}/catalogs/equipment/1;v=2`, 422, undefined],
  ["GET", `${P}/catalogs/equipment/+1`, 422, undefined],
  ["GET", `${P}/users/garbage`, 422, undefined],
  ["PATCH", `${P}/users/garbage`, 422, "{}"],
  ["PATCH", `${P}/users/garbage`, 400, "{"],
  ["PATCH", `${P}/roles/nobody%40example.com/assign`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${P}/roles/nobody@example.com/assign`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${P}/roles/nobody%40example.com/assign/`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${P}/roles/%zz/assign`, 422, '{"roleSlug":"superuser"}'],
])("%s %s is answered %d by a server, as by its parts", (method, path, status, body) =>
  served(async (unix, as, api) => {
    const answer = await askExactly(unix, method, path, as, body);
    expect(answer.status).toBe(status);
    const asked = await api.ask(method, path, { as, ...(body === undefined ? {} : { body }) });
    expect([asked.status, asked.headers.get("allow")]).toEqual([answer.status, answer.allow]);
    expect(comparable(asked.text)).toBe(comparable(answer.text));
  })(),
);

// The last ones are not valid hosts; Bun leaves them out of the URL.
test.each([
  "a",
  "app",
  "db",
  "x.y",
  "localhost",
  "a.long.name.example",
  "[::1]",
  "127.0.0.1:80",
  "",
  "a b",
  "a/b?c",
])("routing does not depend on the Host header (%j)", (host) =>
  served(async (unix, as) => {
    for (const [method, target, status] of [
      ["GET", "/ping", 200],
      ["GET", "/ping/", 200],
      ["HEAD", "/ping", 200],
      ["GET", "/ping/?a=1", 200],
      ["GET", `${P}/exercises/?pageSize=1`, 200],
      ["GET", "/ping#x", 404],
      ["GET", "/ping/#x", 404],
      ["GET", `${P}/exercises#x`, 404],
      ["GET", "/nowhere/", 404],
      ["DELETE", "/ping/", 405],
    ] as const) {
      const answer = await askExactly(unix, method, target, as, "", host);
      expect(`${method} ${target} ${answer.status}`).toBe(`${method} ${target} ${status}`);
    }
  })(),
);

test(
  "Allow lists the methods that work on a path, and no others",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const id = "0197c0de-0000-7000-8000-000000000000";
    for (const [path, allow] of [
      [`${P}/exercises/user`, "POST"],
      [`${P}/exercises/system`, "POST"],
      [`${P}/exercises/criteria`, "GET, HEAD"],
      [`${P}/exercises/${id}`, "DELETE, GET, HEAD"],
      [`${P}/workouts/trash`, "GET, HEAD"],
      [`${P}/workouts/calendar`, "GET, HEAD"],
      [`${P}/imports/names`, "GET, HEAD, PATCH"],
      [`${P}/access/logins`, "DELETE, GET, HEAD"],
      [`${P}/roles/someone%40example.com/assign`, "PATCH"],
      [`${P}/catalogs/equipment/%31`, "DELETE, GET, HEAD, PATCH"],
    ] as const) {
      for (const method of ["OPTIONS", "PUT"]) {
        const answer = await api.ask(method, path, { as });
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
      }
    }
    for (const path of ["exercises/garbage", "catalogs/equipment/0", "roles/nobody/assign"]) {
      expect((await api.ask("OPTIONS", `${P}/${path}`, { as })).status).toBe(404);
    }
  }),
);
