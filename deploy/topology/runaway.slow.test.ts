import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { postgresError } from "#lib/causes.ts";
import { signUpPeople } from "#test/journal.ts";
import { describeTopology, openTopology, type TestTopology } from "#test/topology.ts";

const STATEMENT_MS = 5000;
const LOCK_MS = 2000;
const IDLE_MS = 5000;
/** The allowed delay between a limit and the end of a statement or transaction. */
const GRACE_MS = 500;

describeTopology(
  "hanging statements and transactions are ended, through all components of production",
  () => {
    let topology: TestTopology;
    let owner: Pool;
    let pooled: Pool;
    let routine: { id: string; headers: Record<string, string> };
    beforeAll(async () => {
      topology = await openTopology({ workers: 2 });
      owner = openPool(topology.urls.owner, { size: 2, prepare: false });
      pooled = openPool(topology.urls.pooled, { size: 2, prepare: false });
      const [cookie] = (await signUpPeople(topology.unix, 1)) as [string];
      const headers = { cookie, "content-type": "application/json" };
      const made = await ask("POST", "", headers, { name: "Monday", exercises: [] });
      routine = { id: ((await made.json()) as { id: string }).id, headers };
    });
    afterAll(async () => {
      await owner?.close();
      await pooled?.close(0);
      await topology?.close();
    });

    const ask = (
      method: string,
      path: string,
      headers: Record<string, string>,
      body: object,
      signal?: AbortSignal,
    ) =>
      fetch(`http://localhost/api/v1/routines${path}`, {
        ...{ unix: topology.unix, method, headers, body: JSON.stringify(body) },
        ...(signal ? { signal } : {}),
      });

    /** Locks the routine while `work` runs. */
    const locked = <T>(work: () => Promise<T>): Promise<T> =>
      owner.transaction(async ({ sql }) => {
        await sql`select from routines where id = ${routine.id} for update`;
        return work();
      });

    /**
     * The running statements and transactions of the application, with their states and durations.
     */
    const underWay = () => owner.sql<{ state: string; ageMs: number }[]>`
    select state, 1000 * extract(epoch from clock_timestamp() - state_change)::float as "ageMs"
    from pg_stat_activity where usename = 'irontrack_app' and backend_type = 'client backend' and state <> 'idle'
      and wait_event is distinct from 'PgSleep'`;

    test("a runaway statement ends at its limit", async () => {
      const startedMs = performance.now();
      const ended = await pooled.sql`select pg_sleep(60)`.catch(
        (error) => postgresError(error)?.code,
      );
      expect(ended).toBe("57014");
      expect(performance.now() - startedMs).toBeWithin(STATEMENT_MS, STATEMENT_MS + GRACE_MS);
    });

    test("a request that waits too long for a lock gets 503, and succeeds once the lock is released", async () => {
      const startedMs = performance.now();
      const answer = await locked(() =>
        ask("PATCH", `/${routine.id}`, routine.headers, { name: "Tuesday" }),
      );
      const tookMs = performance.now() - startedMs;
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(tookMs).toBeWithin(LOCK_MS, LOCK_MS + GRACE_MS);
      expect(
        (await ask("PATCH", `/${routine.id}`, routine.headers, { name: "Tuesday" })).status,
      ).toBe(200);
    });

    test("the statement of a disconnected client ends at its limit, and changes nothing", async () => {
      const goneAfterMs = await locked(async () => {
        const left = AbortSignal.timeout(300);
        await ask("PATCH", `/${routine.id}`, routine.headers, { name: "Nobody's" }, left).catch(
          () => {},
        );
        const leftMs = performance.now();
        while ((await underWay()).length > 0) await Bun.sleep(20);
        return performance.now() - leftMs;
      });
      console.log(`gone ${Math.round(goneAfterMs)} ms after its client`);
      expect(goneAfterMs).toBeLessThan(LOCK_MS + GRACE_MS);
      const answer = await fetch(`http://localhost/api/v1/routines/${routine.id}`, {
        ...{ unix: topology.unix, headers: routine.headers },
      });
      expect(((await answer.json()) as { name: string }).name).toBe("Tuesday");
    });

    test("an idle transaction is ended, and its connection is used again", async () => {
      const idle = pooled.transaction(async ({ sql }) => {
        await sql`select from routines where id = ${routine.id} for update`;
        await Bun.sleep(IDLE_MS + 3000);
        await sql`select 1`;
      });
      const failed = idle.then(
        () => "done",
        () => "failed",
      );
      let longestMs = 0;
      const isOver = Bun.sleep(IDLE_MS + 2000).then(() => true);
      while (!(await Promise.race([isOver, Bun.sleep(50)])))
        longestMs = Math.max(longestMs, ...(await underWay()).map(({ ageMs }) => ageMs));
      expect(longestMs).toBeWithin(IDLE_MS / 2, IDLE_MS + GRACE_MS);
      expect(await failed).toBe("failed");
      expect((await pooled.sql`select 1 as one`)[0]?.one).toBe(1);
    });
  },
);
