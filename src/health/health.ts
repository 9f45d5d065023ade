import type { Db } from "#db/client.ts";

export type Health = {
  isDatabaseOnline(): boolean;
  isCacheOnline(): boolean;
  stop(): void;
};

const PROBE_INTERVAL_MS = 1000;
const PROBE_TIMEOUT_MS = 800;

/**
 * Asks the database once a second whether it answers, so that no caller of `/health/ready` ever waits for it.
 * `isCacheOnline` is the state of what this process remembers: offline while notices may be missing.
 */
export async function watchHealth(db: Db, isCacheOnline: () => boolean): Promise<Health> {
  let online = false;
  let probing = false;
  const probe = async () => {
    if (probing) {
      online = false;
      return;
    }
    probing = true;
    const answered = db.sql`select 1`.then(
      () => true,
      () => false,
    );
    answered.finally(() => (probing = false));
    online = await Promise.race([answered, Bun.sleep(PROBE_TIMEOUT_MS).then(() => false)]);
  };
  await probe();
  const timer = setInterval(probe, PROBE_INTERVAL_MS);
  return { isDatabaseOnline: () => online, isCacheOnline, stop: () => clearInterval(timer) };
}
