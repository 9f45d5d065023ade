/** A server's metrics by name, in their own units. */
export type Metrics = Record<string, number>;

const TYPE = /^# TYPE (\S+) (\S+)/;
const LINE = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})?\s+(\S+)/;

/**
 * Parses Prometheus's text format. Counters and sums are added up over their labels; gauges keep
 * their labels, because the sum of quantiles has no meaning. Buckets are left out.
 */
export function parseMetrics(text: string): Metrics {
  const metrics: Metrics = {};
  const gauges = new Set<string>();
  for (const line of text.split("\n")) {
    const [, gaugeName = "", type] = TYPE.exec(line) ?? [];
    if (type === "gauge") gauges.add(gaugeName);
    const [, name = "", labels = "", value] = LINE.exec(line) ?? [];
    if (name === "" || name.endsWith("_bucket")) continue;
    const figure = Number(value);
    const key = gauges.has(name) ? name + labels : name;
    if (Number.isFinite(figure)) metrics[key] = (metrics[key] ?? 0) + figure;
  }
  return metrics;
}

/**
 * Fetches the metrics of a process from the operator socket beside its own; null if there is none.
 */
export async function fetchMetrics(socketPath: string): Promise<Metrics | null> {
  try {
    const unix = socketPath.replace(/\.sock$/, ".operator.sock");
    const answer = await fetch("http://localhost/metrics", {
      unix,
      signal: AbortSignal.timeout(500),
    });
    return answer.ok ? parseMetrics(await answer.text()) : null;
  } catch {
    return null;
  }
}
