import { expect, test } from "bun:test";
import { connect } from "node:net";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";
import { withSocketServer } from "#test/socket-server.ts";

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
    await withSocketServer(api, (unix) => work(unix, as, api));
  });

/** A response without its request id. */
const comparable = (text: string) => text.replace(/"requestId":"[^"]*"/, "");

// A server uses Bun's router and `fetch` uses Elysia's, so both must route alike. Every row is full,
// because Bun passes its `done` callback in place of a missing element.
test.each<[method: string, path: string, status: number, body: string | undefined]>([
  ["GET", "/ping", 200, undefined],
  ["GET", "/ping/", 200, undefined],
  ["GET", "/ping?a=1", 200, undefined],
  ["GET", "/PING", 404, undefined],
  ["OPTIONS", `${API}/exercises/user`, 405, undefined],
  ["PUT", `${API}/users/garbage`, 404, undefined],
  ["GET", "//ping", 404, undefined],
  ["GET", "/nowhere", 404, undefined],
  ["DELETE", "/ping", 405, undefined],
  ["OPTIONS", `${API}/exercises`, 405, undefined],
  ["PUT", `${API}/exercises/criteria`, 405, undefined],
  ["GET", "/.well-known/jwks.json", 200, undefined],
  ["GET", `${API}/exercises?scope=user`, 200, undefined],
  ["GET", `${API}/exercises/?scope=user`, 200, undefined],
  ["GET", `${API}/exercises?scope=%zz`, 422, undefined],
  ["GET", `${API}/exercises/criteria`, 400, undefined],
  ["GET", `${API}/exercises/criteria/`, 400, undefined],
  ["GET", `${API}/exercises/criteria?slug=one-arm-push-up`, 200, undefined],
  ["GET", `${API}/exercises/0197c0de-0000-7000-8000-000000000000`, 404, undefined],
  ["GET", `${API}/exercises/0197C0DE-0000-7000-8000-000000000000/`, 404, undefined],
  ["GET", `${API}/exercises/0197c0de%2D0000-7000-8000-000000000000`, 404, undefined],
  ["GET", `${API}/exercises/%zz`, 422, undefined],
  ["GET", `${API}/exercises/%`, 422, undefined],
  ["GET", `${API}/exercises/%00`, 422, undefined],
  ["GET", `${API}/exercises/%ff`, 422, undefined],
  ["GET", `${API}/exercises/%ED%A0%80`, 422, undefined],
  ["GET", `${API}/exercises/%F0%9F%92%AA`, 422, undefined],
  ["GET", `${API}/exercises/a%2Fb`, 422, undefined],
  ["GET", `${API}/exercises/a+b`, 422, undefined],
  ["GET", `${API}/exercises/a/b`, 404, undefined],
  ["GET", `${API}/catalogs/equipment/1`, 200, undefined],
  ["GET", `${API}/catalogs/equipment/%31`, 200, undefined],
  ["GET", `${API}/catalogs/equipment/1;v=2`, 422, undefined],
  ["GET", `${API}/catalogs/equipment/+1`, 422, undefined],
  ["GET", `${API}/users/garbage`, 422, undefined],
  ["PATCH", `${API}/users/garbage`, 422, "{}"],
  ["PATCH", `${API}/users/garbage`, 400, "{"],
  ["PATCH", `${API}/roles/nobody%40example.com/assign`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${API}/roles/nobody@example.com/assign`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${API}/roles/nobody%40example.com/assign/`, 404, '{"roleSlug":"superuser"}'],
  ["PATCH", `${API}/roles/%zz/assign`, 422, '{"roleSlug":"superuser"}'],
])("%s %s has status %d on a server and through fetch", (method, path, status, body) =>
  served(async (unix, as, api) => {
    const answer = await askExactly(unix, method, path, as, body);
    expect(answer.status).toBe(status);
    const fetched = await api.ask(method, path, { as, ...(body === undefined ? {} : { body }) });
    expect([fetched.status, fetched.headers.get("allow")]).toEqual([answer.status, answer.allow]);
    expect(comparable(fetched.text)).toBe(comparable(answer.text));
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
      ["GET", `${API}/exercises/?pageSize=1`, 200],
      ["GET", "/ping#x", 404],
      ["GET", "/ping/#x", 404],
      ["GET", `${API}/exercises#x`, 404],
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
      [`${API}/exercises/user`, "POST"],
      [`${API}/exercises/system`, "POST"],
      [`${API}/exercises/criteria`, "GET, HEAD"],
      [`${API}/exercises/${id}`, "DELETE, GET, HEAD"],
      [`${API}/workouts/trash`, "GET, HEAD"],
      [`${API}/workouts/calendar`, "GET, HEAD"],
      [`${API}/imports/names`, "GET, HEAD, PATCH"],
      [`${API}/access/logins`, "DELETE, GET, HEAD"],
      [`${API}/roles/someone%40example.com/assign`, "PATCH"],
      [`${API}/catalogs/equipment/%31`, "DELETE, GET, HEAD, PATCH"],
    ] as const) {
      for (const method of ["OPTIONS", "PUT"]) {
        const answer = await api.ask(method, path, { as });
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
      }
    }
    for (const path of ["exercises/garbage", "catalogs/equipment/0", "roles/nobody/assign"]) {
      expect((await api.ask("OPTIONS", `${API}/${path}`, { as })).status).toBe(404);
    }
  }),
);
