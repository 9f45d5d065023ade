import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { hashSync } from "@node-rs/argon2";

/** What a processor takes for one thing, in ms: the least of several runs, and the middle one. */
export type KernelFigures = { minMs: number; medianMs: number };

const RUNS = 15;

/**
 * Small pieces of work that stand for what the server does; each does the same on every machine.
 */
const KERNELS: Record<string, () => () => unknown> = {
  /** One password, with the settings of the benches. */
  argon2id: () => () =>
    hashSync("a bench needs a password", { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
  /** A hundred tokens. */
  ed25519Sign: () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    return () => times(100, () => sign(null, TOKEN, privateKey));
  },
  ed25519Verify: () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const signature = sign(null, TOKEN, privateKey);
    return () => times(100, () => verify(null, TOKEN, publicKey, signature));
  },
  /** 16 MiB. */
  sha256: () => {
    const what = Buffer.alloc(16 * 2 ** 20, 7);
    return () => createHash("sha256").update(what).digest();
  },
  /** A page of 2,000 sets, there and back. */
  json: () => {
    const sets = Array.from({ length: 2000 }, (_, nth) => ({
      nth,
      weightKg: nth / 4,
      reps: nth % 12,
      notes: "as planned",
    }));
    return () => JSON.parse(JSON.stringify(sets));
  },
  /** A million steps through 64 MiB, each to where the last one says: the memory's latency. */
  pointerChase: () => {
    const next = circleThrough(2 ** 24);
    return () => {
      let at = 0;
      for (let step = 0; step < 1_000_000; step++) at = next[at] as number;
      return at;
    };
  },
};

const TOKEN = Buffer.alloc(200, 1);

export const KERNEL_NAMES = Object.keys(KERNELS);

/** Runs kernels, each warm, and says which one is next. */
export function runKernels(
  onKernel: (name: string) => void,
  names = KERNEL_NAMES,
  runs = RUNS,
): Record<string, KernelFigures> {
  const entries = names.map((name) => {
    onKernel(name);
    const work = (KERNELS[name] as (typeof KERNELS)[string])();
    work();
    work();
    const tookMs = Array.from({ length: runs }, () => {
      const from = performance.now();
      work();
      return performance.now() - from;
    }).sort((a, b) => a - b);
    return [
      name,
      { minMs: tookMs[0] as number, medianMs: tookMs[Math.floor(runs / 2)] as number },
    ] as const;
  });
  return Object.fromEntries(entries);
}

function times(count: number, work: () => unknown): void {
  for (let nth = 0; nth < count; nth++) work();
}

/** One circle through all places, in no order (Sattolo's shuffle), the same each time. */
function circleThrough(places: number): Uint32Array {
  const next = Uint32Array.from({ length: places }, (_, at) => at);
  let random = 1;
  for (let at = places - 1; at > 0; at--) {
    // xorshift32 (Marsaglia 2003).
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    const other = (random >>> 0) % at;
    const was = next[at] as number;
    next[at] = next[other] as number;
    next[other] = was;
  }
  return next;
}
