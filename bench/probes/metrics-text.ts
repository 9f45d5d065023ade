/** What a server says of itself, in its own units; what it does not say is absent. */
export type Metrics = Record<string, number>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+(\S+)/;

/** Prometheus's text format: each name with the sum over its labels; buckets are left out. */
export function parseMetrics(text: string): Metrics {
  const sums: Metrics = {};
  for (const line of text.split("\n")) {
    const [, name = "", value] = LINE.exec(line) ?? [];
    if (name === "" || name.endsWith("_bucket")) continue;
    const figure = Number(value);
    if (Number.isFinite(figure)) sums[name] = (sums[name] ?? 0) + figure;
  }
  return sums;
}

/** What a process says on the socket for operators beside its own; null when there is none. */
export async function askMetrics(socketPath: string): Promise<Metrics | null> {
  try {
    const unix = socketPath.replace(/\.sock$/, ".operator.sock");
    const answer = await fetch("http://localhost/metrics", { unix, signal: AbortSignal.timeout(500) });
    return answer.ok ? parseMetrics(await answer.text()) : null;
  } catch {
    return null;
  }
}
