// Does without an engine what an engine would do with the Dockerfile and compose.yaml: runs every
// command of the build stages on a clean file system, creates the run stage from their files, and
// runs the migrator and the workers from it as compose.yaml says, on the embedded PostgreSQL. Needs
// root on Linux. rehearsal.slow.test.ts runs it, or by hand:
//
//   sudo unshare --mount bun deploy/docker/rehearse.ts
//
// Not rehearsed: pulling base images (this machine replaces the one of Bun), and the images of
// PostgreSQL, PgBouncer and Angie.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { startCluster } from "#db/embedded-postgres.ts";
import type { Compose, Service } from "./compose.rules.ts";
import { initCompose } from "./compose-init.ts";
import { asContainer, layOut } from "./container.ts";
import { readStages, type Stage } from "./dockerfile.ts";
import { mount } from "./mounts.ts";
import { buildStage, makeContext, overlayRoot } from "./stages.ts";

const ROOT = join(import.meta.dir, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

const dir = mkdtempSync(join(tmpdir(), "irontrack-rehearsal-"));
mount(["-t", "tmpfs", "-o", "mode=0711", "tmpfs", dir]);
const stages = readStages(read("Dockerfile"));
const stage = (name: string) => stages.find((candidate) => candidate.name === name) as Stage;
const context = makeContext(dir);
const built = overlayRoot(dir);
const workDir = buildStage(stage("dependencies"), built, context);
buildStage(stage("build"), built, context, workDir);
const root = join(dir, "image");
layOut(stage("run"), built, root);
console.log(`image:\n${listed(root).join("\n")}`);

const volumes = Object.fromEntries(
  ["postgres-socket", "pgbouncer-socket", "worker-sockets"].map((name) => [name, join(dir, name)]),
);
for (const path of Object.values(volumes)) mkdirSync(path);
const secrets = join(dir, "secrets");
await initCompose(secrets, "localhost");
chmodSync(secrets, 0o711);

const cluster = await startCluster(
  {
    dataDir: join(dir, "data"),
    socketDir: volumes["postgres-socket"] as string,
    logFile: join(dir, "postgres.log"),
  },
  { durable: false, settings: { unix_socket_permissions: "0777" } },
);
chmodSync(volumes["postgres-socket"] as string, 0o755);
// PgBouncer's image is not rehearsed: behind its socket is PostgreSQL itself.
symlinkSync(
  "/run/postgresql/.s.PGSQL.5432",
  join(volumes["pgbouncer-socket"] as string, ".s.PGSQL.6432"),
);
try {
  await createDatabase();
  await runServices();
  console.log("rehearsed");
} finally {
  await cluster.stop();
  // The mounts end with this process; the directory would stay.
  spawnSync("umount", ["--lazy", dir]);
  rmdirSync(dir);
}
process.exit(0);

/**
 * As deploy/docker/create-database.sh does, but for the owner's name: here irontrack is the
 * superuser.
 */
async function createDatabase() {
  const owner = openPool(cluster.url("postgres"), { size: 1, prepare: false });
  await owner.sql.unsafe("create role application login createrole");
  await owner.sql.unsafe("create database irontrack owner application");
  await owner.close();
}

async function runServices() {
  const compose = Bun.YAML.parse(
    read("compose.yaml").replaceAll("postgres://irontrack@", "postgres://application@"),
  ) as Compose;
  const { migrator, workers } = compose.services as { migrator: Service; workers: Service };
  // Each container has a root of its own.
  const migratorRoot = join(dir, "migrator");
  layOut(stage("run"), built, migratorRoot);
  const preparing = asContainer(stage("run"), migrator, { root: migratorRoot, volumes, secrets });
  const container = asContainer(stage("run"), workers, { root, volumes, secrets });
  const sockets = volumes["worker-sockets"] as string;
  const listSockets = () => readdirSync(sockets).filter((name) => name.endsWith(".sock"));
  // A new volume takes the owner of the directory that it is mounted on.
  spawnSync("chown", [workers.user as string, sockets]);
  for (const round of ["first", "second"]) {
    const prepared = preparing.run(migrator.command as string[]);
    if (prepared.status !== 0) throw new Error(`migrator: ${prepared.output}`);
    console.log(`migrator, ${round} time:\n${prepared.output}`);
  }
  if (container.run(["health"]).status === 0)
    throw new Error("health succeeds although nothing serves");
  const serving = container.start(workers.command as string[]);
  const ended = new Promise((resolve) => serving.once("exit", resolve));
  for (let tries = 0; container.run(["health"]).status !== 0 || listSockets().length < 4; tries++) {
    if (tries > 100) serving.kill("SIGTERM");
    if (serving.exitCode !== null || tries > 100) throw new Error("workers: not ready");
    await Bun.sleep(200);
  }
  let code: unknown;
  try {
    await checkWorkers(join(sockets, "irontrack.1.sock"));
  } finally {
    serving.kill("SIGTERM");
    code = await ended;
  }
  if (code !== 0) throw new Error(`workers: ended with ${code}`);
  const left = listSockets();
  if (left.length > 0) throw new Error(`workers: left ${left.join(", ")} behind`);
}

/** Requests that read files at run time: Argon2, the catalog, the reference page. */
async function checkWorkers(unix: string) {
  const password = "correct horse battery staple";
  const body = JSON.stringify({ email: "ada@example.com", password, confirmPassword: password });
  const json = { "content-type": "application/json" };
  const ask = async (path: string, init: RequestInit, status: number) => {
    const answer = await fetch(`http://localhost${path}`, { ...init, unix });
    console.log(`workers: ${init.method ?? "GET"} ${path} ${answer.status}`);
    if (answer.status !== status) throw new Error(await answer.text());
    return answer;
  };
  await ask("/api/v1/access/signup", { method: "POST", headers: json, body }, 201);
  const form = new URLSearchParams({ username: "ada@example.com", password });
  const signedIn = await ask("/api/v1/access/signin", { method: "POST", body: form }, 204);
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const page = await ask(
    "/api/v1/exercises?searchString=squat&pageSize=3",
    { headers: { cookie } },
    200,
  );
  if (((await page.json()) as { total: number }).total < 3) throw new Error("the catalog is empty");
  for (const path of [
    "/docs",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
    "/openapi.json",
  ])
    await ask(path, {}, 200);
}

/** Every file of the image with its size, in bytes. */
function listed(root: string): string[] {
  const files = [...new Bun.Glob("**/*").scanSync({ cwd: root, dot: true })].sort();
  return files.map((file) => `  /${file} ${statSync(join(root, file)).size}`);
}
