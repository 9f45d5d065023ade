import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";

/**
 * What processes must forget: a login, an account (its logins, its role), the exercises of an account, or all that was
 * made of the catalog.
 */
export type Notice = { loginId: string } | { userId: string } | { exercisesOf: string } | { catalog: true };

/** A notice on its way; nobody waits for one that was not sent. */
export type Announcement = { text: string; isSent: boolean };

export type Notices = {
  /**
   * Runs `commit`, which must hand what it is given to `sendNotice` in the transaction that makes a change (and need not
   * when it finds that there is nothing to change), and returns its result once no process trusts what it remembered
   * before.
   */
  announce<T>(notice: Notice, commit: (announcement: Announcement) => Promise<T>): Promise<T>;
  /** True while every notice so far is known to have arrived here. */
  isTrusted(): boolean;
  close(): Promise<void>;
};

/** Tells every process what to forget, when the transaction commits. */
export async function sendNotice({ sql }: Db, announcement: Announcement): Promise<void> {
  await sql`select ${noticeOf(sql, announcement)}`;
}

/** `sendNotice` as an expression, for a statement that has other work to do. */
export function noticeOf(sql: Db["sql"], announcement: Announcement) {
  announcement.isSent = true;
  return sql`pg_notify(${CHANNEL}, ${announcement.text})`;
}

const CHANNEL = "irontrack_notices";

type Forget = (notice: Notice | "everything") => void;

/** For a process that knows itself to be the only one on its database: a test, on its own transaction. */
export function aloneOnDatabase(forget: Forget): Notices {
  return {
    announce: async (notice, commit) => {
      const result = await commit({ text: JSON.stringify(notice), isSent: false });
      forget(notice);
      return result;
    },
    isTrusted: () => true,
    close: async () => {},
  };
}

/** What a process remembers is trusted for this long after the heartbeat that proved its listener was sent. */
const LEASE_MS = 1000;
const HEARTBEAT_MS = 300;
/** What a heartbeat may add on its way, so that others wait longer than this process trusts itself. */
const LEASE_MARGIN_MS = 200;
const ANNOUNCE_TIMEOUT_MS = 5000;

type Waiting = { confirmed: Set<string>; wake: () => void };

/**
 * Notices among processes (ADR 0004). Each listens for notices and proves it with a heartbeat to itself: PostgreSQL
 * delivers notices in commit order, so when a heartbeat has come back, every notice that was committed before it has
 * come too, and the process may trust its memory for LEASE_MS from when it was sent. Whoever announces waits until every
 * process whose lease may still run has confirmed, or its lease is over.
 *
 * `direct` must not lead through a pooler. Resolves once the first heartbeat is back.
 */
export async function listenForNotices(
  direct: Db,
  forget: Forget,
  onError: (error: unknown) => void,
): Promise<Notices> {
  const processId = randomUUID();
  const waiting = new Map<string, Waiting>();
  let trustedUntilMs = 0;
  let heartbeat: { id: string; sentAtMs: number } | undefined;

  const onNotice = (text: string) => {
    const { id, from, ...notice } = JSON.parse(text) as Notice & { id: string; from: string };
    forget(notice as Notice);
    if (from === processId) return;
    direct.sql`select pg_notify('irontrack_confirmations', ${`${id} ${processId}`})`.catch(onError);
  };
  const onConfirmation = (text: string) => {
    const [id, by] = text.split(" ") as [string, string];
    const announcement = waiting.get(id);
    announcement?.confirmed.add(by);
    announcement?.wake();
  };
  const onHeartbeat = (id: string) => {
    if (heartbeat?.id !== id) return;
    trustedUntilMs = heartbeat.sentAtMs + LEASE_MS;
    heartbeat = undefined;
  };
  // After a lost connection notices may be missing: nothing is trusted until a heartbeat sent from now on is back.
  const onListening = () => {
    trustedUntilMs = 0;
    heartbeat = undefined;
    forget("everything");
  };

  const beat = async () => {
    if (heartbeat && performance.now() - heartbeat.sentAtMs < LEASE_MS) return;
    const sent = { id: randomUUID(), sentAtMs: performance.now() };
    heartbeat = sent;
    await direct.sql`
      with seen as (
        insert into live_processes (id, seen_at) values (${processId}, clock_timestamp())
        on conflict (id) do update set seen_at = clock_timestamp()
      )
      select pg_notify(${`irontrack_heartbeat_${processId}`}, ${sent.id})`;
  };

  await direct.sql.listen("irontrack_confirmations", onConfirmation);
  await direct.sql.listen(`irontrack_heartbeat_${processId}`, onHeartbeat);
  await direct.sql.listen(CHANNEL, onNotice, onListening);
  await beat();
  const timer = setInterval(() => beat().catch(onError), HEARTBEAT_MS);

  /** Ids of other processes that may still trust what they remember. */
  const listTrusting = async (confirmed: Set<string>) => {
    const rows = await direct.sql<{ id: string }[]>`
      select id from live_processes
      where id <> ${processId} and seen_at > clock_timestamp() - ${`${LEASE_MS + LEASE_MARGIN_MS} ms`}::interval`;
    return rows.filter(({ id }) => !confirmed.has(id));
  };

  const settle = async (confirmations: Waiting) => {
    const deadline = performance.now() + ANNOUNCE_TIMEOUT_MS;
    while ((await listTrusting(confirmations.confirmed)).length > 0) {
      if (performance.now() > deadline) return onError(new Error("A process did not confirm a notice"));
      await Promise.race([new Promise<void>((resolve) => (confirmations.wake = resolve)), Bun.sleep(100)]);
    }
  };

  return {
    announce: async (notice, commit) => {
      const id = randomUUID();
      const confirmations: Waiting = { confirmed: new Set(), wake: () => {} };
      waiting.set(id, confirmations);
      try {
        const announcement = { text: JSON.stringify({ ...notice, id, from: processId }), isSent: false };
        const result = await commit(announcement);
        if (announcement.isSent) {
          forget(notice);
          await settle(confirmations);
        }
        return result;
      } finally {
        waiting.delete(id);
      }
    },
    isTrusted: () => performance.now() < trustedUntilMs,
    close: async () => {
      clearInterval(timer);
      trustedUntilMs = 0;
      await direct.sql`delete from live_processes where id = ${processId} or seen_at < now() - interval '1 day'`.catch(
        onError,
      );
    },
  };
}
