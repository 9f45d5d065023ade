import type { Sql } from "postgres";

/** What a backend that runs a statement is doing, and how often it was seen so. */
export type WaitClass = "cpu" | "disk" | "diskOfOthers" | "lock" | "client" | "other";

/**
 * Backends seen in each state since the first look. A look sees all backends at once, so that seen ÷ looks is how many are
 * in a state on average, and with the time between it, how long they were in it together.
 */
export type Waits = { looks: number; seen: Record<WaitClass, number>; events: Record<string, number> };

/** What one look returns: no event of a backend that is on a processor, or waits for one. */
type Seen = { state: string; type: string | null; event: string | null; count: number };

/** The function beneath pg_stat_activity, which would look up names of databases and roles. */
const LOOK = `
  select state, wait_event_type as type, wait_event as event, count(*)::int as count
  from pg_stat_get_activity(null)
  where backend_type = 'client backend' and pid <> pg_backend_pid() and state <> 'idle'
  group by 1, 2, 3`;

/** Looks at what all backends do, again and again; the times between are uneven, so that no clock is in step with them. */
export function createWaits(sql: Sql) {
  const waits: Waits = {
    looks: 0,
    seen: { cpu: 0, disk: 0, diskOfOthers: 0, lock: 0, client: 0, other: 0 },
    events: {},
  };
  return {
    look: async () => {
      const rows = await sql.unsafe<Seen[]>(LOOK, [], { prepare: true });
      waits.looks++;
      for (const { state, type, event, count } of rows) {
        const name = state === "active" ? (type === null ? "CPU" : `${type}:${event}`) : "idle in transaction";
        waits.events[name] = (waits.events[name] ?? 0) + count;
        waits.seen[state === "active" ? waitClassOf(type, event) : "client"] += count;
      }
    },
    read: (): Waits => ({ looks: waits.looks, seen: { ...waits.seen }, events: { ...waits.events } }),
  };
}

/**
 * Who commits while another flushes waits for that flush on the lock WALWrite: it is the disk that both wait for. All other
 * locks are locks.
 */
export function waitClassOf(type: string | null, event: string | null): WaitClass {
  if (type === null) return "cpu";
  if (type === "IO") return "disk";
  if (type === "LWLock" && event === "WALWrite") return "diskOfOthers";
  if (type === "Lock" || type === "LWLock" || type === "BufferPin") return "lock";
  return type === "Client" ? "client" : "other";
}
