import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import {
  freePort,
  giveTo,
  killEverything,
  launch,
  makeCheckout,
  postmasterPid,
  runPrintedCommands,
  waitUntilUp,
} from "./launcher.ts";
import { makeOwnDatabase } from "./own-database.ts";
import { databaseSettings } from "./transaction.ts";

const checkout = makeCheckout({ withModules: true });
afterAll(checkout.remove);
const { dir } = checkout;
const home = join(dir, ".irontrack");
const isRoot = process.getuid?.() === 0;

test("one command starts everything, and the commands that it prints work", async () => {
  const port = await freePort();
  const up = launch(dir, ["up"], { PORT: port });
  await waitUntilUp(up);
  const printed = runPrintedCommands(dir, up.output());
  expect(printed).toContain('"email":"ada@example.com"');
  expect(printed).toContain("Squat");
  expect(statSync(join(home, "jwt-keys.json")).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, "lock.sqlite")).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, "run/irontrack.sock")).mode & 0o777).toBe(0o660);

  const second = launch(dir, ["up"], { PORT: await freePort() });
  expect(await second.ended).toBe(1);
  expect(second.output()).toContain(`already in use by process ${up.child.pid}`);

  const elsewhere = { ...databaseSettings(), PORT: port, IRONTRACK_HOME: "another-home" };
  const third = launch(dir, ["up"], elsewhere);
  expect(await third.ended).toBe(1);
  expect(third.output()).toContain(`127.0.0.1:${port} (HOST, PORT) is already taken`);

  up.child.kill("SIGTERM");
  expect(await up.ended).toBe(0);
  expect(existsSync(join(home, "run/irontrack.sock"))).toBe(false);
  expect(existsSync(join(home, "postgres/postmaster.pid"))).toBe(false);
});

test("after a kill, up starts again with everything that was acknowledged", async () => {
  const port = await freePort();
  const first = launch(dir, ["up"], { PORT: port });
  await waitUntilUp(first);
  killEverything(first, join(home, "postgres"));
  await first.ended;
  expect(existsSync(join(home, "run/irontrack.sock"))).toBe(true);
  const again = launch(dir, ["up"], { PORT: port });
  await waitUntilUp(again);
  // The account of the first test is still there.
  expect(runPrintedCommands(dir, again.output())).toContain("access.email_taken");
  again.child.kill("SIGINT");
  expect(await again.ended).toBe(0);
});

test("up takes over the database server that a killed process left running", async () => {
  const first = launch(dir, ["up"], { PORT: await freePort() });
  await waitUntilUp(first);
  first.child.kill("SIGKILL");
  await first.ended;
  const again = launch(dir, ["up"], { PORT: await freePort() });
  await waitUntilUp(again);
  again.child.kill("SIGTERM");
  expect(await again.ended).toBe(0);
});

test("with DATABASE_URL, up starts no PostgreSQL", async () => {
  const other = join(dir, "other-home");
  const up = launch(dir, ["up"], {
    ...databaseSettings(),
    IRONTRACK_HOME: other,
    PORT: await freePort(),
  });
  await waitUntilUp(up);
  expect(up.output()).toContain("of DATABASE_URL");
  expect(up.output()).not.toContain("differences from its files");
  expect(existsSync(join(other, "postgres"))).toBe(false);
  up.child.kill("SIGTERM");
  expect(await up.ended).toBe(0);
});

test("up reports a catalog that differs from its files, and the command to run", async () => {
  const database = await makeOwnDatabase();
  try {
    await seedCatalog(database.pool, readCatalog());
    await database.pool
      .sql`update exercises set seed_hash = 'of earlier files' where slug in ('box-jump', 'pull-up')`;
    const env = {
      ...databaseSettings(database.url),
      IRONTRACK_HOME: "differing",
      PORT: await freePort(),
    };
    const up = launch(dir, ["up"], env);
    await waitUntilUp(up);
    expect(up.output()).toContain("differences from its files: 2; apply them: ./irontrack seed");
    up.child.kill("SIGTERM");
    expect(await up.ended).toBe(0);
  } finally {
    await database.drop();
  }
});

const blocked = join(dir, "blocked");
test.each([
  ["a taken port", () => ({ PORT: String(taken.port), IRONTRACK_HOME: "h1" }), "(HOST, PORT)"],
  ["a home that is a file", () => ({ IRONTRACK_HOME: blocked }), "IRONTRACK_HOME"],
  [
    "an unreachable database",
    () => ({ DATABASE_URL: "postgres://x:secret@127.0.0.1:1/x" }),
    "DATABASE_URL",
  ],
  ["a database that is not a URL", () => ({ DATABASE_URL: "nonsense-secret" }), "DATABASE_URL"],
  ["several bad settings", () => ({ PORT: "secret", DRAIN_TIMEOUT_S: "-1" }), "DRAIN_TIMEOUT_S"],
])(
  "%s is reported in one line that names the setting, without its value",
  async (_what, env, named) => {
    writeFileSync(blocked, "");
    const up = launch(dir, ["up"], env());
    expect(await up.ended).toBe(1);
    expect(up.output()).toContain(named);
    expect(up.output()).not.toContain("secret");
    expect(up.output()).not.toMatch(/^\s+at /m);
  },
);
const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
afterAll(() => taken.stop(true));

test("a data directory with foreign content is not changed", async () => {
  const precious = join(dir, "precious/postgres/letter");
  mkdirSync(join(precious, ".."), { recursive: true });
  writeFileSync(precious, "Dear Ada");
  const up = launch(dir, ["up"], { IRONTRACK_HOME: "precious", PORT: await freePort() });
  expect(await up.ended).toBe(1);
  expect(up.output()).toMatch(/^irontrack: .*precious\/postgres is in the way.*$/m);
  expect(readFileSync(precious, "utf8")).toBe("Dear Ada");
});

test.if(isRoot)("a full disk is reported in one line that names the setting", async () => {
  const full = join(dir, "full");
  mkdirSync(full);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full]);
  if (mounted.exitCode !== 0) return console.warn("skipped: no tmpfs can be mounted here");
  try {
    chmodSync(full, 0o755);
    const up = launch(dir, ["up"], { IRONTRACK_HOME: full, PORT: await freePort() });
    expect(await up.ended).toBe(1);
    expect(up.output()).toContain("IRONTRACK_HOME");
    expect(up.output()).not.toMatch(/^\s+at /m);
  } finally {
    Bun.spawnSync(["umount", "-l", full]);
  }
});

test.if(isRoot)("a user other than root can start it too", async () => {
  const other = makeCheckout({ withModules: true, isForOthers: true });
  const user = { uid: 65_534, gid: 65_534 };
  giveTo(other.dir, user.uid, user.gid);
  try {
    const up = launch(other.dir, ["up"], { PORT: await freePort() }, user);
    await waitUntilUp(up);
    expect(runPrintedCommands(other.dir, up.output())).toContain("Squat");
    up.child.kill("SIGTERM");
    expect(await up.ended).toBe(0);
  } finally {
    other.remove();
  }
});

test("both commands work in a private directory, with umask 077 and without HOME", async () => {
  const own = makeCheckout({ withModules: true, isPrivate: true });
  const through = ["sh", "-c", 'umask 077; exec "$@"', "sh"];
  try {
    const up = launch(
      own.dir,
      ["up"],
      { PORT: await freePort(), HOME: undefined },
      undefined,
      through,
    );
    await waitUntilUp(up);
    expect(runPrintedCommands(own.dir, up.output())).toContain("Squat");
    if (isRoot)
      expect(capabilitiesOf(postmasterPid(join(own.dir, ".irontrack/postgres")))).toBe(
        CAP_DAC_READ_SEARCH,
      );
    up.child.kill("SIGTERM");
    expect(await up.ended).toBe(0);
    const tests = launch(own.dir, ["test", "src/health"], { HOME: undefined }, undefined, through);
    expect(await tests.ended).toBe(0);
    expect(tests.output()).toMatch(/^[1-9]\d* passed, 0 failed$/m);
  } finally {
    own.remove();
  }
});
/** The only capability of PostgreSQL there. */
const CAP_DAC_READ_SEARCH = 1 << 2;
const capabilitiesOf = (pid: number) =>
  Number.parseInt(
    /^CapEff:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "",
    16,
  );

test.each([
  [["serv"], 2, "did you mean serve?"],
  [["seed", "--overwritte"], 2, "did you mean --overwrite?"],
  [[], 2, "Usage"],
  [["up", "--help"], 0, "up"],
])("irontrack %p exits with %i", async (args, code, output) => {
  const run = launch(dir, args as string[]);
  expect(await run.ended).toBe(code as number);
  expect(run.output()).toContain(output as string);
});
