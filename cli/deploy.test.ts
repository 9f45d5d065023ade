import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initCompose } from "#deploy/docker/compose-init.ts";
import { parseKeys } from "#src/access/keys.ts";
import { readConfig } from "#src/config/config.ts";
import { buildExecutable } from "./build.ts";
import { checkHealth } from "./health.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-deploy-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("compose:init creates each secret once, in a directory that only its owner can enter", async () => {
  const secrets = join(dir, "secrets");
  const read = (name: string) => readFileSync(join(secrets, name), "utf8");
  const made = await initCompose(secrets, "iron.example.com");
  expect(readdirSync(secrets).sort()).toEqual(made.toSorted());
  expect(statSync(secrets).mode & 0o777).toBe(0o700);
  expect(read("pgbouncer_userlist")).toBe(`"irontrack_app" "${read("database_password")}"\n`);
  expect(read("database_password")).toMatch(/^[\w-]{43}$/);
  expect(new Set(["postgres_password", "owner_password", "database_password"].map(read)).size).toBe(
    3,
  );
  expect((await parseKeys(read("jwt_private_keys"), "test")).publicJwks).toHaveLength(1);
  expect(read("tls_certificate")).toContain("BEGIN CERTIFICATE");
  const before = made.map(read);
  expect(await initCompose(secrets, "iron.example.com")).toEqual([]);
  expect(made.map(read)).toEqual(before);
});

test.each([
  [200, "ready"],
  [503, "not ready: it is draining"],
])("health checks every socket in the home: %d is %s", async (status, body) => {
  const home = join(dir, String(status));
  const config = readConfig({ IRONTRACK_HOME: home });
  expect(checkHealth(config, undefined)).rejects.toThrow("Nothing serves here");
  const servers = [1, 2].map((number) =>
    Bun.serve({
      unix: join(home, `run/irontrack.${number}.sock`),
      fetch: () => new Response(body, { status: number === 2 ? status : 200 }),
    }),
  );
  const asked = checkHealth(config, undefined);
  if (status === 200) expect(await asked).toHaveLength(2);
  else expect(asked).rejects.toThrow(/^[^\n]*irontrack\.2\.sock: not ready: it is draining$/);
  await asked.catch(() => {});
  await Promise.all(servers.map((server) => server.stop(true)));
});

test("the executable prints the same OpenAPI document as the sources, in any directory", async () => {
  const built = await buildExecutable(join(dir, "irontrack"));
  const printed = spawnSync(built, ["openapi"], { cwd: dir, env: {}, maxBuffer: 2 ** 24 });
  expect(printed.stderr.toString()).toBe("");
  expect(printed.stdout.equals(readFileSync(join(import.meta.dir, "../openapi.json")))).toBe(true);
  const up = spawnSync(built, ["up"], { cwd: dir, env: {} });
  expect([up.status, up.stderr.toString()]).toEqual([
    1,
    expect.stringContaining("Set DATABASE_URL"),
  ]);
});

test("health reports a socket without a listener", async () => {
  expect(checkHealth(readConfig({}), join(dir, "none.sock"))).rejects.toThrow(
    "none.sock: no answer",
  );
});
