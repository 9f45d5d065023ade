import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { openHome } from "#lib/home.ts";
import { openDatabase } from "#src/app/database.ts";
import { createBackup } from "#src/backup/create-backup.ts";
import { readConfig } from "#src/config/config.ts";
import { freePort } from "#test/launcher.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { databaseSettings, directTestUrl } from "#test/transaction.ts";
import { doctor } from "./doctor.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-doctor-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const base = () => ({ ...databaseSettings(), IRONTRACK_HOME: dir, NODE_ENV: "test" });

const findingOf = async (what: string, env: Record<string, string>) =>
  (await doctor({ ...base(), ...env })).find((finding) => finding.what === what);

const listening = (host: string, onConnection: (write: (text: string) => void) => void) =>
  new Promise<Server>((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      onConnection((text) => socket.write(text));
    });
    server.listen(0, host, () => resolve(server));
  });
const portOf = (server: Server) => String((server.address() as { port: number }).port);

test.each([
  [
    "speaks another protocol",
    "127.0.0.1",
    "127.0.0.1",
    (write: (text: string) => void) => write("SSH-2.0-OpenSSH\r\n"),
  ],
  ["says nothing", "127.0.0.1", "127.0.0.1", () => {}],
  ["listens on IPv6", "::1", "[::1]", () => {}],
])("a port is taken by what %s", async (_what, HOST, shown, onConnection) => {
  const server = await listening(HOST, onConnection);
  const PORT = portOf(server);
  expect(await findingOf("address", { HOST, PORT })).toEqual({
    what: "address",
    state: "note",
    finding: `${shown}:${PORT} is taken (HOST, PORT)`,
  });
  server.close();
});

test("the doctor finds a free port even if HTTP_PROXY names a proxy that answers everything", async () => {
  let asked = 0;
  const proxy = await listening("127.0.0.1", (write) => {
    asked++;
    write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  });
  const PORT = await freePort();
  const HTTP_PROXY = `http://127.0.0.1:${portOf(proxy)}`;
  const command = [join(import.meta.dir, "main.ts"), "doctor", "--json"];
  const env = { ...base(), PATH: process.env.PATH ?? "", PORT, HTTP_PROXY, http_proxy: HTTP_PROXY };
  const { stdout } = spawnSync(process.execPath, command, { encoding: "utf8", env });
  expect(JSON.parse(stdout)).toContainEqual({
    what: "address",
    state: "good",
    finding: `127.0.0.1:${PORT} is free`,
  });
  expect(asked).toBe(0);
  proxy.close();
});

test("an older PostgreSQL is refused in one line before anything is changed, and the doctor reports it", async () => {
  const database = await makeOwnDatabase();
  const name = new URL(database.url).pathname.slice(1);
  const url = directTestUrl(database.url);
  // This function shadows PostgreSQL's own, so the server reports an older version.
  await database.pool.sql.unsafe(`
    create schema older;
    create function older.current_setting(name text) returns text language sql as
      $$ select case name when 'server_version_num' then '150018' else '15.18' end $$;
    alter database ${name} set search_path = older, pg_catalog, public`);
  try {
    const expected = "PostgreSQL 18 or newer is needed, and this is 15.18";
    const opened = openDatabase(readConfig({ DATABASE_URL: url }), openHome(dir));
    expect(await opened.catch((error) => error.message)).toBe(
      `Cannot use the database of DATABASE_URL: ${expected}`,
    );
    const finding = await findingOf("database", { DATABASE_URL: url, DATABASE_DIRECT_URL: url });
    expect(finding).toMatchObject({ state: "wrong", finding: expect.stringContaining(expected) });
    const backup = createBackup(url, join(dir, "backups"), { path: "" });
    expect(await backup.catch((error) => error.message)).toBe(expected);
    const direct = openDatabase(readConfig({ ...base(), DATABASE_DIRECT_URL: url }), openHome(dir));
    expect(await direct.catch((error) => error.message)).toContain("DATABASE_DIRECT_URL");
  } finally {
    await database.drop();
  }
});

test("with ?host=/dir, the port of DATABASE_URL is used unless ?port= overrides it, as in libpq", () => {
  const path = (query: string) =>
    openPool(`postgres://u@localhost${query}`, { size: 1, prepare: false }).sql.options;
  expect(path(":47213/db?host=/dir").path).toBe("/dir/.s.PGSQL.47213");
  expect(path("/db?host=/dir&port=6432").path).toBe("/dir/.s.PGSQL.6432");
  expect(path("/db?host=/dir").path).toBe("/dir/.s.PGSQL.5432");
  // A parameter overrides the address.
  expect(path(":1/db?host=/dir&port=2").path).toBe("/dir/.s.PGSQL.2");
});

test("the doctor reports whether backups can be made, and how to install their programs", async () => {
  const finding = await findingOf("backups", { PATH: "", PG_BIN: join(dir, "nowhere") });
  expect(finding).toMatchObject({
    state: "note",
    finding: expect.stringContaining(".ci/postgresql-client"),
  });
});
