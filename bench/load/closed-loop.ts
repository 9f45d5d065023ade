import { generate } from "./generator.ts";
import type { Target } from "./lanes.ts";
import { figuresOf } from "./recording.ts";

export type Load = { requests: number; elapsedMs: number; failures: number };

/**
 * Sends `requests`, one after the other and again from the first, over `connections` to a Unix
 * socket or another target, each connection's next as soon as its last is answered, for
 * `durationMs` or until there were `most`. `failures` counts answers that are not 2xx or 304.
 */
export async function closedLoop(
  to: string | Target,
  requests: string[],
  connections: number,
  durationMs: number,
  most?: number,
): Promise<Load> {
  const texts = requests.map((request) => Buffer.from(request));
  const started = performance.now();
  const load = { model: "closed", durationMs, ...(most === undefined ? {} : { most }) } as const;
  const recording = await generate({
    target: typeof to === "string" ? { unix: to } : to,
    requests: texts,
    connections,
    load,
  });
  const { failures } = figuresOf(recording);
  return { requests: recording.due.length, elapsedMs: performance.now() - started, failures };
}
