import type { Sql } from "postgres";

/**
 * What the sampler's connections call themselves, so that they are not taken for those of clients.
 */
export const PROBES_NAME = "irontrack-probes";

/** What a backend that runs a statement is doing, and how often it was seen so. */
export type WaitClass = "cpu" | "disk" | "diskOfOthers" | "lock" | "client" | "other";

/**
 * Backends seen in each state since the first look. A look sees all backends at once, so that seen
 * ÷ looks is how many are in a state on average, and with the time between it, how long they were
 * in it together.
 */
export type Waits = {
  looks: number;
  seen: Record<WaitClass, number>;
  events: Record<string, number>;
};

/**
 * What backends were seen doing, and how often; no type of one that is on a processor, or waits for
 * one.
 */
type Seen = { state: string; type: string; event: string; count: number };

/**
 * Looks that one statement takes: asking for each one by itself would cost this process five times
 * as much.
 */
const LOOKS = 10;

/**
 * The function beneath pg_stat_activity, which would look up names of databases and roles. The
 * sampler's other connection is told by its name. Looks are 10 to 30 ms apart, unevenly, so that no
 * clock is in step with them.
 */
const LOOK_OFTEN = `
  create function pg_temp.look_often(looks int)
  returns table (state text, type text, event text, count int) language plpgsql as $$
  declare
    seen text[] := '{}';
  begin
    for look in 1 .. looks loop
      perform pg_sleep(0.01 + random() * 0.02);
      perform pg_stat_clear_snapshot();
      seen := seen || array(
        select concat_ws('/', a.state, coalesce(a.wait_event_type, ''), coalesce(a.wait_event, ''))
        from pg_stat_get_activity(null) as a
        where a.backend_type = 'client backend' and a.state <> 'idle' and a.application_name <> '${PROBES_NAME}');
    end loop;
    return query
      select split_part(name, '/', 1), split_part(name, '/', 2), split_part(name, '/', 3), count(*)::int
      from unnest(seen) as name group by name;
  end $$`;

/** Looks at what all backends do, again and again. */
export async function createWaits(sql: Sql) {
  await sql.unsafe(LOOK_OFTEN);
  const waits: Waits = {
    looks: 0,
    seen: { cpu: 0, disk: 0, diskOfOthers: 0, lock: 0, client: 0, other: 0 },
    events: {},
  };
  return {
    /** Takes about 200 ms. */
    look: async () => {
      const rows = await sql<Seen[]>`select * from pg_temp.look_often(${LOOKS})`;
      waits.looks += LOOKS;
      for (const { state, type, event, count } of rows) {
        const name =
          state === "active" ? (type === "" ? "CPU" : `${type}:${event}`) : "idle in transaction";
        waits.events[name] = (waits.events[name] ?? 0) + count;
        waits.seen[state === "active" ? waitClassOf(type, event) : "client"] += count;
      }
    },
    read: (): Waits => ({
      looks: waits.looks,
      seen: { ...waits.seen },
      events: { ...waits.events },
    }),
  };
}

/**
 * Who commits while another flushes waits for that flush on the lock WALWrite: it is the disk that
 * both wait for. All other locks are locks.
 */
export function waitClassOf(type: string, event: string): WaitClass {
  if (type === "") return "cpu";
  if (type === "IO") return "disk";
  if (type === "LWLock" && event === "WALWrite") return "diskOfOthers";
  if (type === "Lock" || type === "LWLock" || type === "BufferPin") return "lock";
  return type === "Client" ? "client" : "other";
}
