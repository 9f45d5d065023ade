/** What a server says of itself, in its own units; what it does not say is absent. */
export type Metrics = Record<string, number>;

const TYPE = /^# TYPE (\S+) (\S+)/;
const LINE = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})?\s+(\S+)/;

/**
 * Prometheus's text format: what is counted, summed over its labels; a gauge by its name and labels
 * as they stand there, for quantiles added up mean nothing. Buckets are left out.
 */
export function parseMetrics(text: string): Metrics {
  const metrics: Metrics = {};
  const gauges = new Set<string>();
  for (const line of text.split("\n")) {
    const [, typed = "", type] = TYPE.exec(line) ?? [];
    if (type === "gauge") gauges.add(typed);
    const [, name = "", labels = "", value] = LINE.exec(line) ?? [];
    if (name === "" || name.endsWith("_bucket")) continue;
    const figure = Number(value);
    const key = gauges.has(name) ? name + labels : name;
    if (Number.isFinite(figure)) metrics[key] = (metrics[key] ?? 0) + figure;
  }
  return metrics;
}

/** What a process says on the socket for operators beside its own; null when there is none. */
export async function askMetrics(socketPath: string): Promise<Metrics | null> {
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
