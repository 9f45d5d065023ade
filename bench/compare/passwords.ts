import { hash } from "@node-rs/argon2";
import { readConfig } from "#src/config/config.ts";
import { estimateText, ratioOfPairs } from "../figures/statistics.ts";
import { PASSWORD } from "../testbed/accounts.ts";

/**
 * Compares hashes a second of `@node-rs/argon2` and `Bun.password`: Argon2id with this host's
 * settings, one at a time.
 */
export async function comparePasswordLibraries(pairs: number): Promise<string> {
  const { PASSWORD_MEMORY_KIB: memoryCost, PASSWORD_PASSES: timeCost } = readConfig(process.env);
  const libraries = {
    ours: () => hash(PASSWORD, { memoryCost, timeCost, parallelism: 1 }),
    bun: () => Bun.password.hash(PASSWORD, { algorithm: "argon2id", memoryCost, timeCost }),
  };
  await libraries.ours();
  await libraries.bun();
  const measured: { a: number; b: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const isOursFirst = Math.random() < 0.5;
    const first = await secondsOf(isOursFirst ? libraries.ours : libraries.bun);
    const second = await secondsOf(isOursFirst ? libraries.bun : libraries.ours);
    const [ours, bun] = isOursFirst ? [first, second] : [second, first];
    measured.push({ a: 1 / ours, b: 1 / bun });
  }
  const ratio = estimateText(ratioOfPairs(measured));
  return `Argon2id m=${memoryCost} KiB t=${timeCost}: @node-rs/argon2 makes ${ratio} times the hashes of Bun.password (${pairs} pairs)`;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
