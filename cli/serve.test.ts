import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "#test/eventually.ts";
import { program } from "#test/program.ts";
import { databaseSettings, testPool } from "#test/transaction.ts";

// The directory of PostgreSQL's socket behind a link: without the link, the database is
// unreachable.
const home = mkdtempSync(join(tmpdir(), "irontrack-serve-"));
const link = join(home, "db");
const settings = databaseSettings();
const directUrl = new URL(settings.DATABASE_DIRECT_URL ?? settings.DATABASE_URL);
const socketDir = directUrl.searchParams.get("host") as string;
directUrl.searchParams.set("host", link);
const take = () => unlinkSync(link);
const give = () => symlinkSync(socketDir, link);
const sockets = [1, 2].map((number) => join(home, `run/irontrack.${number}.sock`));
const children: ChildProcess[] = [];
let said = "";

const [command, ...args] = program();
function serve(more: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(command, [...args, "serve", ...more], {
    env: {
      PATH: process.env.PATH ?? "",
      HOST: "",
      LOG_LEVEL: "info",
      DRAIN_LINGER_S: "0",
      IRONTRACK_HOME: home,
      ...env,
    },
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      said += chunk;
    });
  return child;
}
const away = { DATABASE_URL: directUrl.href };
const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));
const ask = (unix: string, path: string) =>
  fetch(`http://localhost${path}`, { unix, keepalive: false, signal: AbortSignal.timeout(5000) });
const statusOf = (unix: string, path: string) =>
  ask(unix, path).then(
    ({ status }) => status,
    () => 0,
  );
const pidsOf = () =>
  [...said.matchAll(/"worker":\d,"pid":(\d+)[^\n]*"msg":"worker is ready"/g)].map(([, pid]) =>
    Number(pid),
  );

beforeAll(() => {
  said = "";
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

test("a process whose database is unavailable at the start stays alive, answers 503, and serves once the database is available", async () => {
  const unix = join(home, "run/irontrack.sock");
  const child = serve([], away);
  await eventually(async () => (await statusOf(unix, "/health/live")) === 200);
  expect(await statusOf(unix, "/ping")).toBe(200);
  const ready = await ask(unix, "/health/ready");
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ database_status: "offline", app: "IronTrack" });
  const refused = await ask(unix, "/api/v1/exercises");
  expect(refused.status).toBe(503);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ code: "database_unavailable", status: 503 });
  give();
  await eventually(async () => (await statusOf(unix, "/health/ready")) === 200);
  expect(await statusOf(unix, "/api/v1/exercises")).toBe(401);
  const over = ended(child);
  child.kill("SIGTERM");
  expect(await over).toBe(0);
  take();
});

test("a process that waits for its database stops on SIGTERM and leaves no socket", async () => {
  const unix = join(home, "run/irontrack.sock");
  const child = serve([], away);
  await eventually(async () => (await statusOf(unix, "/health/live")) === 200);
  const over = ended(child);
  child.kill("SIGTERM");
  expect(await over).toBe(0);
  expect(existsSync(unix)).toBe(false);
});

test("an invalid DATABASE_URL ends the process with one line", async () => {
  said = "";
  expect(await ended(serve([], { DATABASE_URL: "nonsense" }))).toBe(1);
  expect(said).toContain("Cannot use the database of DATABASE_URL");
  expect(said).not.toMatch(/^\s+at /m);
});

test("on a database without tables a process is not ready, and logs what is missing and why its caches are not used", async () => {
  said = "";
  const name = `empty_${crypto.randomUUID().replaceAll("-", "")}`;
  const { sql } = testPool();
  await sql`create database ${sql(name)}`;
  const url = Object.assign(new URL(directUrl), { pathname: `/${name}` });
  url.searchParams.set("host", socketDir);
  const child = serve([], { DATABASE_URL: url.href });
  try {
    await eventually(() => said.includes("run irontrack migrate"));
    expect(said).toContain('relation \\"live_processes\\" does not exist');
    expect(await statusOf(join(home, "run/irontrack.sock"), "/health/ready")).toBe(503);
  } finally {
    const over = ended(child);
    child.kill("SIGTERM");
    expect(await over).toBe(0);
    await sql`drop database ${sql(name)} with (force)`;
  }
});

test("while the database is unavailable, a worker that died is replaced, and a healthy one stays", async () => {
  said = "";
  give();
  const supervisor = serve(["--workers", "2"], away);
  await eventually(() => said.includes("all workers are ready"));
  const [victim, healthy] = pidsOf() as [number, number];
  const healthySocket = said.includes(`"worker":1,"pid":${healthy}`) ? sockets[0] : sockets[1];
  const otherSocket = sockets.find((unix) => unix !== healthySocket) as string;
  take();
  process.kill(victim, "SIGKILL");
  await eventually(async () => (await statusOf(otherSocket, "/health/live")) === 200);
  expect(await statusOf(otherSocket, "/health/ready")).toBe(503);
  expect(supervisor.exitCode).toBe(null);
  expect(await statusOf(healthySocket as string, "/ping")).toBe(200);
  expect(() => process.kill(healthy, 0)).not.toThrow();
  give();
  await eventually(async () => (await statusOf(otherSocket, "/health/ready")) === 200);
  expect(() => process.kill(healthy, 0)).not.toThrow();
  const over = ended(supervisor);
  supervisor.kill("SIGTERM");
  expect(await over).toBe(0);
});
