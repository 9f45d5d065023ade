import type { Sql } from "postgres";

/** Counters of a normalised statement. */
export type StatementCounts = {
  query: string;
  calls: number;
  totalMs: number;
  rows: number;
  blocksHit: number;
  blocksRead: number;
  readMs: number;
  walBytes: number;
};

/** PostgreSQL's counters between two points in time. Backends report at most once a second. */
export type PostgresCounts = {
  /** By total time, descending. */
  statements: StatementCounts[];
  /** Round trips of clients: statements, including the start and end of transactions. */
  calls: number;
  /** Counts, and times in ms, by kind of process and of file. */
  io: Record<string, number>;
  /** Records, full-page images, bytes, and how often the buffers were full. */
  wal: Record<string, number>;
  checkpoints: Record<string, number>;
  database: Record<string, number>;
};

const MAX_STATEMENTS = 30;
const MAX_STATEMENT_LENGTH = 300;

type Snapshot = Omit<PostgresCounts, "statements" | "calls"> & {
  statements: Map<string, StatementCounts>;
};

/** Starts to count; the function that it returns gives the counts since then. */
export async function countPostgres(sql: Sql): Promise<() => Promise<PostgresCounts>> {
  const from = await readCounts(sql);
  return async () => {
    const to = await readCounts(sql);
    const statements = [...to.statements]
      .map(([id, counts]) => minus(counts, from.statements.get(id)))
      .filter(({ calls }) => calls > 0)
      .sort((a, b) => b.totalMs - a.totalMs);
    return {
      statements: statements.slice(0, MAX_STATEMENTS),
      calls: statements.reduce((sum, { calls }) => sum + calls, 0),
      io: minus(to.io, from.io),
      wal: minus(to.wal, from.wal),
      checkpoints: minus(to.checkpoints, from.checkpoints),
      database: minus(to.database, from.database),
    };
  };
}

/** Subtracts all numbers of `from` from those of `to`. */
function minus<Counts extends Record<string, string | number>>(
  to: Counts,
  from: Counts | undefined,
): Counts {
  const entries = Object.entries(to).map(([name, value]) => [
    name,
    typeof value === "number" ? value - Number(from?.[name] ?? 0) : value,
  ]);
  return Object.fromEntries(entries) as Counts;
}

async function readCounts(sql: Sql): Promise<Snapshot> {
  const statements = await sql<(StatementCounts & { id: string })[]>`
    select concat_ws('/', userid, dbid, queryid, toplevel) as id, left(query, ${MAX_STATEMENT_LENGTH}::int) as query,
      calls::float8, total_exec_time as "totalMs", rows::float8, shared_blks_hit::float8 as "blocksHit",
      shared_blks_read::float8 as "blocksRead", shared_blk_read_time as "readMs", wal_bytes::float8 as "walBytes"
    from pg_stat_statements`;
  const io = await sql<{ what: string; count: number; ms: number }[]>`
    select backend_type || ' ' || object || ' ' || name as what, sum(count)::float8 as count, sum(ms) as ms
    from pg_stat_io, lateral (values ('reads', reads, read_time), ('writes', writes, write_time),
      ('extends', extends, extend_time), ('fsyncs', fsyncs, fsync_time)) as each (name, count, ms)
    where count > 0 group by 1`;
  const [wal] = await sql<Record<string, number>[]>`
    select wal_records::float8 as records, wal_fpi::float8 as "fullPages", wal_bytes::float8 as bytes,
      wal_buffers_full::float8 as "buffersFull" from pg_stat_wal`;
  const [checkpoints] = await sql<Record<string, number>[]>`
    select num_timed::float8 as timed, num_requested::float8 as requested, write_time as "writeMs", sync_time as "syncMs",
      buffers_written::float8 as buffers from pg_stat_checkpointer`;
  const [database] = await sql<Record<string, number>[]>`
    select xact_commit::float8 as commits, xact_rollback::float8 as rollbacks, blks_read::float8 as "blocksRead",
      blks_hit::float8 as "blocksHit", blk_read_time as "readMs", temp_bytes::float8 as "temporaryBytes",
      deadlocks::float8 as deadlocks from pg_stat_database where datname = current_database()`;
  return {
    statements: new Map(statements.map(({ id, ...counts }) => [id, counts])),
    io: Object.fromEntries(
      io.flatMap(({ what, count, ms }) => [
        [what, count],
        [`${what} ms`, ms],
      ]),
    ),
    wal: wal ?? {},
    checkpoints: checkpoints ?? {},
    database: database ?? {},
  };
}
