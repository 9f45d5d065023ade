import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "./config.ts";
import { envExample, Settings } from "./settings.ts";

const SAFE_PRODUCTION = {
  NODE_ENV: "production",
  COOKIE_SECURE: "true",
  JWT_PRIVATE_KEYS: "[]",
  DATABASE_URL: "postgres://localhost/irontrack",
};

test("an empty environment gives working settings", () => {
  expect(readConfig({})).toMatchObject({ PORT: 8000, HOST: "127.0.0.1", DATABASE_PREPARE: true });
  expect(readConfig({ PORT: "" }).PORT).toBe(8000);
});

test("an empty HOST means the Unix socket only, not the default address", () => {
  expect(readConfig({ HOST: "" }).HOST).toBe("");
});

test("all invalid settings are named at once, without their values", () => {
  const bad = {
    PORT: "secret-1",
    DRAIN_TIMEOUT_S: "-1",
    COOKIE_SECURE: "secret-2",
    LOG_LEVEL: "secret-3",
    PASSWORD_MEMORY_KIB: "19455",
  };
  const read = () => readConfig(bad);
  for (const name of Object.keys(bad)) expect(read).toThrow(name);
  expect(read).not.toThrow("secret");
  expect(read).toThrow("must be a whole number from 1 to 65535");
});

test.each([
  ["COOKIE_SECURE", { ...SAFE_PRODUCTION, COOKIE_SECURE: "false" }],
  ["JWT_PRIVATE_KEYS", { ...SAFE_PRODUCTION, JWT_PRIVATE_KEYS: "" }],
  ["DATABASE_URL", { ...SAFE_PRODUCTION, DATABASE_URL: "" }],
  ["ALLOWED_ORIGINS", { ...SAFE_PRODUCTION, ALLOWED_ORIGINS: "http://front.example.com" }],
])("production refuses an unsafe %s", (name, env) => {
  expect(() => readConfig(env)).toThrow(name);
});

test("production accepts safe settings", () => {
  expect(readConfig(SAFE_PRODUCTION).NODE_ENV).toBe("production");
});

test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost", ""])("HOST may be %p", (HOST) => {
  expect(readConfig({ HOST }).HOST).toBe(HOST);
});

test.each([
  "0.0.0.0",
  "::",
  "192.0.2.1",
  "2001:db8::1",
  "example.com",
  "127.example.com",
  "0",
  "::ffff:0.0.0.0",
])("HOST %p is refused unless HOST_PUBLIC and COOKIE_SECURE are true", (HOST) => {
  expect(() => readConfig({ HOST })).toThrow("HOST_PUBLIC");
  expect(() => readConfig({ HOST, HOST_PUBLIC: "true" })).toThrow("COOKIE_SECURE");
  expect(readConfig({ HOST, HOST_PUBLIC: "true", COOKIE_SECURE: "true" }).HOST).toBe(HOST);
});

test("a secret is read from the file that <name>_FILE names", () => {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-secrets-"));
  const file = join(dir, "password");
  writeFileSync(file, "p@ss:w/rd\n");
  const url = "postgres://ada@localhost/irontrack?host=/run/postgresql";
  const config = readConfig({ DATABASE_URL: url, DATABASE_PASSWORD_FILE: file });
  expect(decodeURIComponent(new URL(config.DATABASE_URL as string).password)).toBe("p@ss:w/rd");
  expect(new URL(config.DATABASE_URL as string).searchParams.get("host")).toBe("/run/postgresql");
  const withPassword = readConfig({
    DATABASE_URL: "postgres://ada:own@localhost/irontrack",
    DATABASE_PASSWORD_FILE: file,
  });
  expect(new URL(withPassword.DATABASE_URL as string).password).toBe("own");
  const replicas = readConfig({
    DATABASE_REPLICA_URLS: `${url}, ${withPassword.DATABASE_URL}`,
    DATABASE_PASSWORD_FILE: file,
  });
  expect(replicas.DATABASE_REPLICA_URLS).toBe(
    `${config.DATABASE_URL},${withPassword.DATABASE_URL}`,
  );
  rmSync(dir, { recursive: true });
  const both = () => readConfig({ DATABASE_PASSWORD: "secret-1", DATABASE_PASSWORD_FILE: file });
  expect(both).toThrow(/DATABASE_PASSWORD_FILE: must/);
  expect(both).not.toThrow("secret");
  expect(() => readConfig({ JWT_PRIVATE_KEYS_FILE: file })).toThrow(
    /JWT_PRIVATE_KEYS_FILE: .*ENOENT/,
  );
});

test(".env.example lists every setting and is up to date", () => {
  const committed = readFileSync(join(import.meta.dir, "../../.env.example"), "utf8");
  expect(committed).toBe(envExample());
  for (const name of Object.keys(Settings.properties)) expect(committed).toContain(`# ${name}=`);
});
