/**
 * The parts of a mean response time, in ms. Each is measured on its own (ADR 0016); only
 * `unexplained` is computed as the remainder, and is negative if the others add up to more than the
 * mean. Null: not measured.
 */
export type Attribution = {
  /**
   * From when a request was due until it was sent: no connection was idle, or the generator was
   * late.
   */
  beforeSend: number;
  /** CPU and run queue of the proxy; null if it is not in the request path. */
  proxy: number | null;
  /**
   * CPU of the JavaScript thread and of the worker threads that serve requests, without garbage
   * collection.
   */
  serverCpu: number;
  /** The time that the same threads were ready to run but had no CPU. */
  serverRunQueue: number;
  /** Waiting for earlier requests to leave the server's JavaScript thread. */
  behindOthers: number;
  /** Waiting for a database connection, as the server's metrics report it. */
  poolWait: number | null;
  /** CPU and run queue of the pooler; null if it is not in the request path. */
  pooler: number | null;
  /** CPU of the backends. PostgreSQL's background processes delay no request. */
  postgresCpu: number;
  postgresRunQueue: number;
  lock: number;
  /**
   * Blocked in the request's own flushes and reads; waiting for a CPU after them counts as run
   * queue.
   */
  disk: number;
  /** Waiting for another backend's flush. */
  diskOfOthers: number;
  /**
   * Passing a request between processes through sockets, including waking idle CPUs, estimated from
   * bare servers at the same rate.
   */
  handOver: number;
  unexplained: number;
};

export type Segment = keyof Attribution;

/** The segments in display order, with their labels. */
export const SEGMENTS: [Segment, string][] = [
  ["beforeSend", "send delay"],
  ["proxy", "proxy"],
  ["serverCpu", "server CPU"],
  ["serverRunQueue", "server waiting for a core"],
  ["behindOthers", "queued behind other requests"],
  ["poolWait", "waiting for a pool connection"],
  ["pooler", "pooler"],
  ["postgresCpu", "PostgreSQL CPU"],
  ["postgresRunQueue", "PostgreSQL waiting for a core"],
  ["lock", "locks"],
  ["disk", "disk"],
  ["diskOfOthers", "another backend's flush"],
  ["handOver", "sockets and wake-ups"],
  ["unexplained", "unexplained"],
];
