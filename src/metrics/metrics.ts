import { heapSize } from "bun:jsc";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AdmissionStats } from "#db/connection-queue.ts";
import { buildInfo } from "#lib/build-info.ts";
import type { InvalidationsStats } from "../cache/invalidations.ts";
import type { ReplicaStats } from "../replicas/replicas.ts";
import { createExposition, type Exposition } from "./exposition.ts";
import type { RequestMetrics } from "./request-metrics.ts";

/** The help text of every metric. A test compares docs/metrics.md with them. */
export const METRICS: Record<string, string> = {
  irontrack_build_info: "1, with the versions as labels",
  irontrack_requests_total: "Requests answered, by operation and status",
  irontrack_request_seconds:
    "Time from a request's arrival in the process to its response, by operation",
  irontrack_requests_in_flight: "Requests in progress",
  irontrack_requests_aborted_total: "Requests cancelled because their client disconnected",
  irontrack_requests_shed_total: "Requests refused with 503 because of overload, by reason",
  irontrack_requests_on_database: "Requests that hold one of the MAX_IN_FLIGHT places",
  irontrack_statements_abandoned_total:
    "Statements and transactions not started because the client had disconnected",
  irontrack_reruns_total: "Transactions and statements retried after a deadlock",
  irontrack_pool_size: "Connections that the process may use",
  irontrack_pool_in_use: "Connections in use",
  irontrack_pool_waiting: "Statements and transactions waiting for a connection",
  irontrack_pool_wait_seconds: "Time that statements and transactions waited for a connection",
  irontrack_statement_seconds: "Time from sending a statement to its result",
  irontrack_replicas_used: "Replicas in use: they respond and have caught up",
  irontrack_replica_reads_total:
    "Reads that may lag, by the outcome on a replica; all but answered went to the primary",
  irontrack_event_loop_delay_seconds: "Delay of the event loop since the last scrape, by quantile",
  irontrack_heap_bytes: "JavaScript heap in use",
  irontrack_resident_bytes: "Resident memory of the process",
  irontrack_cpu_seconds_total: "CPU time of the process, all threads",
  irontrack_uptime_seconds: "Age of the process",
  irontrack_catalog_memory_bytes: "Size of the catalog cache",
  irontrack_catalog_memory_recalls_total: "Lookups in the catalog cache, by result",
  irontrack_login_memory_recalls_total: "Lookups in the login cache, by result",
  irontrack_password_hashes_running: "Password hashes being computed",
  irontrack_password_hashes_waiting: "Password hashes waiting to be computed",
  irontrack_notices_trusted: "1 while the caches are used, because no invalidation can be missing",
  irontrack_listener_losses_total:
    "Losses of the listening connection: it was closed, or a heartbeat did not return",
  irontrack_lease_waits_total:
    "Changes that waited for leases to expire, because a process had not confirmed them",
  irontrack_database_online: "1 while the database responds",
};

type Lookups = { hits: number; misses: number };

/** The sources that a scrape reads. */
export type MetricSources = {
  requests: RequestMetrics;
  admission: AdmissionStats | undefined;
  replicas: ReplicaStats | undefined;
  catalogCache: { bytes: number; lookups: Lookups };
  loginCache: { lookups: Lookups };
  passwords: { running: number; waiting: number };
  isDatabaseOnline(): boolean;
  isFresh(): boolean;
  invalidations: InvalidationsStats;
};

const NO_READS: ReplicaStats["reads"] = { answered: 0, behind: 0, busy: 0, failed: 0 };

type LoopDelay = ReturnType<typeof monitorEventLoopDelay>;

/** Each sample wakes the process: at 10 ms an idle worker used 2 % of a core. */
const LOOP_RESOLUTION_MS = 100;

/** Starts measuring the delay of the event loop. `text` returns all metrics of this process. */
export function openMetrics(sources: MetricSources): { text(): string; close(): void } {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  return { text: () => metricsText(sources, loop), close: () => void loop.disable() };
}

function metricsText(sources: MetricSources, loop: LoopDelay): string {
  const out = createExposition(METRICS);
  out.gauge("irontrack_build_info", 1, {
    version: buildInfo().version,
    commit: buildInfo().commit ?? "unknown",
    dirty: String(buildInfo().isDirty),
    bun: Bun.version,
  });
  writeRequests(out, sources.requests);
  if (sources.admission) writeAdmission(out, sources.admission);
  out.gauge("irontrack_replicas_used", sources.replicas?.used ?? 0);
  for (const [result, count] of Object.entries(sources.replicas?.reads ?? NO_READS))
    out.counter("irontrack_replica_reads_total", count, { result });
  writeProcess(out, loop);
  const { catalogCache, loginCache, passwords } = sources;
  out.gauge("irontrack_catalog_memory_bytes", catalogCache.bytes);
  writeLookups(out, "irontrack_catalog_memory_recalls_total", catalogCache.lookups);
  writeLookups(out, "irontrack_login_memory_recalls_total", loginCache.lookups);
  out.gauge("irontrack_password_hashes_running", passwords.running);
  out.gauge("irontrack_password_hashes_waiting", passwords.waiting);
  out.gauge("irontrack_notices_trusted", Number(sources.isFresh()));
  out.counter("irontrack_listener_losses_total", sources.invalidations.losses);
  out.counter("irontrack_lease_waits_total", sources.invalidations.leaseWaits);
  out.gauge("irontrack_database_online", Number(sources.isDatabaseOnline()));
  return out.text();
}

function writeRequests(out: Exposition, { routes, inFlight, aborted }: RequestMetrics) {
  const used = routes.filter(({ byStatus }) => byStatus.size > 0);
  for (const { method, route, byStatus } of used) {
    for (const [status, count] of byStatus) {
      out.counter("irontrack_requests_total", count, { method, route, status: String(status) });
    }
  }
  for (const { method, route, seconds } of used)
    out.histogram("irontrack_request_seconds", seconds, { method, route });
  out.gauge("irontrack_requests_in_flight", inFlight);
  out.counter("irontrack_requests_aborted_total", aborted);
}

function writeAdmission(out: Exposition, admission: AdmissionStats) {
  for (const [reason, count] of Object.entries(admission.shed))
    out.counter("irontrack_requests_shed_total", count, { reason });
  out.gauge("irontrack_requests_on_database", admission.requests);
  out.counter("irontrack_statements_abandoned_total", admission.abandoned);
  out.counter("irontrack_reruns_total", admission.retries);
  out.gauge("irontrack_pool_size", admission.size);
  out.gauge("irontrack_pool_in_use", admission.inUse);
  out.gauge("irontrack_pool_waiting", admission.waiting);
  out.histogram("irontrack_pool_wait_seconds", admission.wait);
  out.histogram("irontrack_statement_seconds", admission.statement);
}

function writeProcess(out: Exposition, loop: LoopDelay) {
  for (const quantile of [0.5, 0.9, 0.99, 1]) {
    const delayNs = loop.count > 0 ? loop.percentile(quantile * 100) : 0;
    out.gauge("irontrack_event_loop_delay_seconds", delayNs / 1e9, { quantile: String(quantile) });
  }
  loop.reset();
  // Not heapStats(): it walks the whole heap, which delays requests during a scrape by 8 ms.
  out.gauge("irontrack_heap_bytes", heapSize());
  out.gauge("irontrack_resident_bytes", process.memoryUsage.rss());
  const { user, system } = process.cpuUsage();
  out.counter("irontrack_cpu_seconds_total", (user + system) / 1e6);
  out.gauge("irontrack_uptime_seconds", process.uptime());
}

function writeLookups(out: Exposition, name: string, { hits, misses }: Lookups) {
  out.counter(name, hits, { result: "hit" });
  out.counter(name, misses, { result: "miss" });
}
