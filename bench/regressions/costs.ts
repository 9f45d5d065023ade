/**
 * The cost of one request of an operation on one side: CPU of the server and PostgreSQL and, in
 * sequential mode, latency.
 */
export type Cost = { cpuUs: number; p50Ms?: number; p90Ms?: number };
export type Metric = keyof Cost;

/** The costs of both sides of a pair. */
export type PairCosts = { before: Cost; after: Cost };
