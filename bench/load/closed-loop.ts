import type { Target } from "./connections.ts";
import { generate } from "./generator.ts";
import { figuresOf } from "./recording.ts";

export type Load = { requests: number; elapsedMs: number; failures: number };

/**
 * Sends `requests` in order and repeatedly over `connections` to a Unix socket or another target.
 * Each connection sends its next request as soon as the last is answered, for `durationMs` or until
 * `maxRequests`. `failures` counts answers that are not 2xx or 304.
 */
export async function closedLoop(
  target: string | Target,
  requests: string[],
  connections: number,
  durationMs: number,
  maxRequests?: number,
): Promise<Load> {
  const encoded = requests.map((request) => Buffer.from(request));
  const started = performance.now();
  const load = {
    model: "closed",
    durationMs,
    ...(maxRequests === undefined ? {} : { maxRequests }),
  } as const;
  const recording = await generate({
    target: typeof target === "string" ? { unix: target } : target,
    requests: encoded,
    connections,
    load,
  });
  const { failures } = figuresOf(recording);
  return { requests: recording.due.length, elapsedMs: performance.now() - started, failures };
}
