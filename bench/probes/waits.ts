import type { Sql } from "postgres";

/** The application_name of the sampler's connections, which excludes them from the samples. */
export const PROBES_NAME = "irontrack-probes";

/** The activity of a backend with a statement in progress. */
export type WaitClass = "cpu" | "disk" | "diskOfOthers" | "lock" | "client" | "other";

/**
 * Counts of backends by state over all samples. Each sample (`looks` in results) covers all
 * backends, so seen ÷ looks is the average number of backends in a state.
 */
export type Waits = {
  looks: number;
  seen: Record<WaitClass, number>;
  events: Record<string, number>;
};

/** Counts of one state; `type` is empty for a backend that is on a CPU or waits for one. */
type SampledState = { state: string; type: string; event: string; count: number };

/** Samples per statement: one statement for each would cost this process five times as much. */
const SAMPLES = 10;

/**
 * Uses the function below pg_stat_activity, which does not look up names of databases and roles.
 * Samples are 10 to 30 ms apart at random, so that they do not coincide with timers.
 */
const CREATE_SAMPLING_FUNCTION = `
  create function pg_temp.sample_backends(samples int)
  returns table (state text, type text, event text, count int) language plpgsql as $$
  declare
    seen text[] := '{}';
  begin
    for sample in 1 .. samples loop
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

/** Creates a sampler of the wait events of all backends. */
export async function createWaits(sql: Sql) {
  await sql.unsafe(CREATE_SAMPLING_FUNCTION);
  const waits: Waits = {
    looks: 0,
    seen: { cpu: 0, disk: 0, diskOfOthers: 0, lock: 0, client: 0, other: 0 },
    events: {},
  };
  return {
    /** Takes some samples, which lasts about 200 ms. */
    sample: async () => {
      const rows = await sql<SampledState[]>`select * from pg_temp.sample_backends(${SAMPLES})`;
      waits.looks += SAMPLES;
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
 * A backend that commits during another's flush waits for it on the lock WALWrite, so this is a
 * wait for the disk. All other locks count as locks.
 */
export function waitClassOf(type: string, event: string): WaitClass {
  if (type === "") return "cpu";
  if (type === "IO") return "disk";
  if (type === "LWLock" && event === "WALWrite") return "diskOfOthers";
  if (type === "Lock" || type === "LWLock" || type === "BufferPin") return "lock";
  return type === "Client" ? "client" : "other";
}
