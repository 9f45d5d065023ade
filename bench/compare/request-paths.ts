import type { RequestPath } from "../testbed/request-path.ts";

const DIRECT: RequestPath = {
  client: "unix",
  proxy: "none",
  workers: 1,
  pooler: "none",
  database: "unix",
};
const PROXIED: RequestPath = { ...DIRECT, proxy: "unix" };

/** The request paths that are measured, by name. */
export const REQUEST_PATHS = {
  direct: DIRECT,
  "client over TCP": { ...DIRECT, client: "tcp" },
  "PostgreSQL over TCP": { ...DIRECT, database: "tcp" },
  unprepared: { ...DIRECT, pooler: "unprepared" },
  "unprepared over TCP": { ...DIRECT, pooler: "unprepared", database: "tcp" },
  prepared: { ...DIRECT, pooler: "prepared" },
  "prepared over TCP": { ...DIRECT, pooler: "prepared", database: "tcp" },
  proxied: PROXIED,
  "workers over TCP": { ...PROXIED, proxy: "tcp" },
  "two workers": { ...PROXIED, workers: 2 },
  "two workers, unprepared": { ...PROXIED, workers: 2, pooler: "unprepared" },
  "two workers, prepared": { ...PROXIED, workers: 2, pooler: "prepared" },
} satisfies Record<string, RequestPath>;

export type RequestPathName = keyof typeof REQUEST_PATHS;

/**
 * An answer without the database, one statement that reads, and one that writes and waits for the
 * disk.
 */
export const OPERATIONS = ["Ping", "GetWorkout", "LogSet"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A comparison of `a` with `b`, which differ in one component. */
export type Question = {
  about: string;
  a: RequestPathName;
  b: RequestPathName;
  operations: readonly Operation[];
};

const DATABASE_OPERATIONS: Operation[] = ["GetWorkout", "LogSet"];
const SOCKETS = "Unix socket / loopback TCP";

/**
 * In the order of the table. Ping does not use the database, so it is not measured where only that
 * differs.
 */
export const QUESTIONS: Question[] = [
  {
    about: `client to worker: ${SOCKETS}`,
    a: "direct",
    b: "client over TCP",
    operations: OPERATIONS,
  },
  {
    about: `proxy to worker: ${SOCKETS}`,
    a: "proxied",
    b: "workers over TCP",
    operations: OPERATIONS,
  },
  {
    about: `worker to PostgreSQL: ${SOCKETS}`,
    a: "direct",
    b: "PostgreSQL over TCP",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: `both sides of PgBouncer, unprepared: ${SOCKETS}`,
    a: "unprepared",
    b: "unprepared over TCP",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: `both sides of PgBouncer, prepared: ${SOCKETS}`,
    a: "prepared",
    b: "prepared over TCP",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: "behind a proxy: two workers / one",
    a: "two workers",
    b: "proxied",
    operations: OPERATIONS,
  },
  {
    about: "one worker: PgBouncer, unprepared / direct",
    a: "unprepared",
    b: "direct",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: "one worker: PgBouncer, prepared / direct",
    a: "prepared",
    b: "direct",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: "two workers: PgBouncer, unprepared / direct",
    a: "two workers, unprepared",
    b: "two workers",
    operations: DATABASE_OPERATIONS,
  },
  {
    about: "two workers: PgBouncer, prepared / direct",
    a: "two workers, prepared",
    b: "two workers",
    operations: DATABASE_OPERATIONS,
  },
];

/** The operations to measure on a path for all questions about it. */
export const operationsOn = (name: RequestPathName): Operation[] =>
  OPERATIONS.filter((operation) =>
    QUESTIONS.some(
      ({ a, b, operations }) => [a, b].includes(name) && operations.includes(operation),
    ),
  );
