/**
 * What a request of one operation cost a side: CPU of server and PostgreSQL, and, taken in turn,
 * how long it took.
 */
export type Cost = { cpuUs: number; p50Ms?: number; p90Ms?: number };
export type Metric = keyof Cost;

/** In one pair. */
export type Costs = { before: Cost; after: Cost };
