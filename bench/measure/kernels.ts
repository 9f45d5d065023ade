import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { hashSync } from "@node-rs/argon2";

/** Minimum and median time of several runs, in ms. */
export type KernelFigures = { minMs: number; medianMs: number };

const RUNS = 15;

/** Small workloads representative of the server, identical on every machine. */
const KERNELS: Record<string, () => () => unknown> = {
  /** Hashes one password with the settings of the benches. */
  argon2id: () => () =>
    hashSync("a bench needs a password", { memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
  /** Signs a hundred tokens. */
  ed25519Sign: () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    return () => times(100, () => sign(null, TOKEN, privateKey));
  },
  ed25519Verify: () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const signature = sign(null, TOKEN, privateKey);
    return () => times(100, () => verify(null, TOKEN, publicKey, signature));
  },
  /** Hashes 16 MiB. */
  sha256: () => {
    const bytes = Buffer.alloc(16 * 2 ** 20, 7);
    return () => createHash("sha256").update(bytes).digest();
  },
  /** Serialises and parses a page of 2,000 sets. */
  json: () => {
    const sets = Array.from({ length: 2000 }, (_, nth) => ({
      nth,
      weightKg: nth / 4,
      reps: nth % 12,
      notes: "as planned",
    }));
    return () => JSON.parse(JSON.stringify(sets));
  },
  /** A million dependent reads in 64 MiB: memory latency. */
  pointerChase: () => {
    const next = randomCycle(2 ** 24);
    return () => {
      let at = 0;
      for (let step = 0; step < 1_000_000; step++) at = next[at] as number;
      return at;
    };
  },
};

const TOKEN = Buffer.alloc(200, 1);

export const KERNEL_NAMES = Object.keys(KERNELS);

/** Runs kernels after warming each up, and reports the name of the next one. */
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
    const durationsMs = Array.from({ length: runs }, () => {
      const from = performance.now();
      work();
      return performance.now() - from;
    }).sort((a, b) => a - b);
    return [
      name,
      { minMs: durationsMs[0] as number, medianMs: durationsMs[Math.floor(runs / 2)] as number },
    ] as const;
  });
  return Object.fromEntries(entries);
}

function times(count: number, work: () => unknown): void {
  for (let nth = 0; nth < count; nth++) work();
}

/** A single random cycle through all indexes (Sattolo's shuffle), always the same. */
function randomCycle(length: number): Uint32Array {
  const next = Uint32Array.from({ length: length }, (_, at) => at);
  let random = 1;
  for (let at = length - 1; at > 0; at--) {
    // xorshift32 (Marsaglia 2003).
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    const target = (random >>> 0) % at;
    const previous = next[at] as number;
    next[at] = next[target] as number;
    next[target] = previous;
  }
  return next;
}
