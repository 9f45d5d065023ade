import { afterAll, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { hash } from "@node-rs/argon2";
import { openPool } from "#db/client.ts";
import { makeSignedIn, PASSWORD } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { canPrepare, testDatabaseUrl } from "#test/transaction.ts";

const pool = openPool(testDatabaseUrl(), { size: 8, prepare: canPrepare() });
const userIds: string[] = [];
afterAll(async () => {
  await pool.sql`delete from users where id = any (${userIds})`;
  await pool.close();
});

/** The value below which 99 % of `values` lie. */
const p99 = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;

test("during a flood of sign-ins other requests are served, memory is bounded, and correct passwords are accepted", async () => {
  // The real parameters. Each guess is for another account, so that throttling does not stop the
  // flood.
  const settings = {
    PASSWORD_MEMORY_KIB: "65536",
    PASSWORD_PASSES: "3",
    SIGN_IN_FREE_FAILURES: "100",
  };
  const api = await apiOn(pool, { settings, deps: { addressOf: () => null } });
  const unix = `/tmp/irontrack-flood-${process.pid}.sock`;
  const server = Bun.serve({ unix, fetch: api.app.fetch });
  const { user, as } = await makeSignedIn(api);
  userIds.push(user.id);
  const getProfile = async () => {
    const startedMs = performance.now();
    await fetch("http://localhost/api/v1/access/me", { unix, headers: { cookie: as } }).then(
      (answer) => answer.text(),
    );
    return performance.now() - startedMs;
  };
  const signIn = (username: string, password: string) =>
    fetch("http://localhost/api/v1/access/signin", {
      unix,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password }),
    }).then(({ status }) => status);
  const sample = async (durationMs: number) => {
    const latenciesMs: number[] = [];
    for (
      const until = performance.now() + durationMs;
      performance.now() < until;
      await Bun.sleep(2)
    ) {
      latenciesMs.push(await getProfile());
    }
    return latenciesMs;
  };
  const workers = Math.max(1, Math.floor(availableParallelism() / 2));
  const rawRate = async (durationMs: number) => {
    let hashes = 0;
    const until = performance.now() + durationMs;
    const worker = async () => {
      for (; performance.now() < until; hashes++)
        await hash(PASSWORD, { memoryCost: 65_536, timeCost: 3, parallelism: 1 });
    };
    await Promise.all(Array.from({ length: workers }, worker));
    return hashes / (durationMs / 1000);
  };

  await sample(1000);
  const quietMs = p99(await sample(4000));
  const rate = await rawRate(5000);
  const rssBefore = process.memoryUsage.rss();
  let [isDone, wrong, right, busy, peakRss] = [false, 0, 0, 0, 0];
  const attack = Array.from({ length: 64 }, async (_, lane) => {
    for (let n = 0; !isDone; n++) {
      const status = await signIn(`flood-${lane}-${n}@example.com`, "a wrong guess");
      if (status === 503) busy++;
      else wrong++;
    }
  });
  const owner = Array.from({ length: 4 }, async () => {
    while (!isDone) if ((await signIn(user.email, PASSWORD)) === 204) right++;
  });
  const startedMs = performance.now();
  const watching = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage.rss())), 50);
  const floodedMs = p99(await sample(15_000));
  isDone = true;
  const seconds = (performance.now() - startedMs) / 1000;
  await Promise.all([...attack, ...owner]);
  clearInterval(watching);
  await server.stop(true);
  const hashRate = (wrong + right) / seconds;
  const grownMib = (peakRss - rssBefore) / 1_048_576;
  console.log(
    `me p99 ${quietMs.toFixed(1)} ms quiet, ${floodedMs.toFixed(1)} ms flooded; memory +${grownMib.toFixed(0)} MiB; ` +
      `${hashRate.toFixed(1)} hashes/s of ${rate.toFixed(1)} raw (${((100 * hashRate) / rate).toFixed(0)} %), ` +
      `${right} right sign-ins, ${wrong} wrong, ${busy} refused as busy`,
  );
  expect(right).toBeGreaterThan(0);
  expect(grownMib).toBeLessThan(300);
});

test("unknown addresses, wrong passwords and inactive accounts cannot be distinguished by timing", async () => {
  const api = await apiOn(pool, {
    settings: { SIGN_IN_FREE_FAILURES: "100" },
    deps: { addressOf: () => null },
  });
  const known = await makeSignedIn(api);
  const inactive = await makeSignedIn(api, { isActive: false });
  userIds.push(known.user.id, inactive.user.id);
  const kinds = {
    unknown: () => `nobody-${Bun.randomUUIDv7()}@example.com`,
    wrong: () => known.user.email,
    inactive: () => inactive.user.email,
  };
  const timesMs: Record<string, number[]> = { unknown: [], wrong: [], inactive: [] };
  for (let round = 0; round < 400; round++) {
    for (const [kind, address] of Object.entries(kinds)) {
      await pool.sql`delete from attempts`;
      const body = { username: address(), password: "a wrong guess" };
      const startedMs = performance.now();
      await api.post("/api/v1/access/signin", { body });
      timesMs[kind]?.push(performance.now() - startedMs);
    }
  }
  const medians = Object.entries(timesMs).map(
    ([kind, times]) => [kind, times.toSorted((a, b) => a - b)[200]] as const,
  );
  const auc = Math.max(
    separation(timesMs.unknown, timesMs.wrong),
    separation(timesMs.inactive, timesMs.wrong),
  );
  console.log(
    `medians ${medians.map(([kind, value]) => `${kind} ${value?.toFixed(2)} ms`).join(", ")}; AUC ${auc.toFixed(3)}`,
  );
  expect(auc).toBeLessThan(0.6);
});

/**
 * How well one request's time separates two kinds (area under the ROC curve): 0.5 not at all, 1
 * always.
 */
function separation(a: number[] = [], b: number[] = []): number {
  let above = 0;
  for (const x of a) for (const y of b) above += x > y ? 1 : x === y ? 0.5 : 0;
  const share = above / (a.length * b.length);
  return Math.max(share, 1 - share);
}
