import { rmSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText, ratioOfPairs } from "../figures/statistics.ts";
import { closedLoop } from "../load/closed-loop.ts";
import { signUpAndIn } from "../testbed/accounts.ts";
import { fetchAnswer, startApplication, startBare } from "../testbed/applications.ts";
import type { ServerProcess } from "../testbed/server-process.ts";

/**
 * The operations that can be compared with a bare server, each with the path that a signed-in client
 * requests.
 */
export const OPERATIONS: Record<string, string> = {
  ping: "/ping",
  me: "/api/v1/access/me",
  "exercises-list": "/api/v1/exercises?pageSize=20",
  "exercises-search": "/api/v1/exercises?searchString=squat",
  equipment: "/api/v1/catalogs/equipment",
};

export type CompareOptions = {
  pairs: number;
  seconds: number;
  connections: number;
  json?: boolean;
};

/**
 * Compares server CPU and requests per second of operations with a bare server that sends the same
 * bytes, and prints the ratios.
 */
export async function compareWithBare(names: string[], options: CompareOptions) {
  const chosen = names.length === 0 ? Object.keys(OPERATIONS) : names;
  for (const name of chosen) {
    if (!(name in OPERATIONS)) {
      console.error(
        `There is no operation ${name}; there are ${Object.keys(OPERATIONS).join(", ")}`,
      );
      process.exit(2);
    }
  }
  const dir = temporaryDirectory("bench");
  try {
    const findings = [];
    for (const name of chosen)
      findings.push(await compare(name, OPERATIONS[name] as string, dir, options));
    if (options.json) console.log(JSON.stringify({ host: host(), findings }, null, 2));
    else print(findings);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type Run = { cpuUs: number; perSecond: number };
type Finding = {
  operation: string;
  pairs: number;
  ours: Run;
  bare: Run;
  cpuRatio: string;
  rateRatio: string;
};

/** Runs the operation and the bare server in pairs, in random order and on new processes. */
async function compare(
  operation: string,
  path: string,
  dir: string,
  options: CompareOptions,
): Promise<Finding> {
  const pairs: { ours: Run; bare: Run }[] = [];
  for (let pair = 0; pair < Number(options.pairs); pair++) {
    process.stderr.write(`${operation}: pair ${pair + 1} of ${options.pairs}\n`);
    const application = await startApplication(dir);
    const cookie = await signUpAndIn(application.socketPath);
    const bare = await startBare(dir, await fetchAnswer(application.socketPath, path, cookie));
    const runs = {
      ours: () => measure(application, path, cookie, options),
      bare: () => measure(bare, path, cookie, options),
    };
    const isOursFirst = Math.random() < 0.5;
    const first = isOursFirst ? await runs.ours() : await runs.bare();
    const second = isOursFirst ? await runs.bare() : await runs.ours();
    pairs.push(isOursFirst ? { ours: first, bare: second } : { ours: second, bare: first });
    await Promise.all([application.stop(), bare.stop()]);
  }
  const ratio = (figure: (run: Run) => number) =>
    estimateText(
      ratioOfPairs(pairs.map(({ ours, bare }) => ({ a: figure(ours), b: figure(bare) }))),
    );
  // The figures beside the ratio are those of one pair, the one with the median ratio of CPU.
  const cpuRatioOf = ({ ours, bare }: { ours: Run; bare: Run }) => ours.cpuUs / bare.cpuUs;
  const byRatio = pairs.toSorted((a, b) => cpuRatioOf(a) - cpuRatioOf(b));
  const medianPair = byRatio[byRatio.length >> 1] as { ours: Run; bare: Run };
  return {
    operation,
    pairs: pairs.length,
    ...medianPair,
    cpuRatio: ratio(({ cpuUs }) => cpuUs),
    rateRatio: ratio(({ perSecond }) => perSecond),
  };
}

async function measure(
  server: ServerProcess,
  path: string,
  cookie: string,
  options: CompareOptions,
): Promise<Run> {
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`;
  const connections = Number(options.connections);
  await closedLoop(server.socketPath, [request], connections, 1000);
  const before = server.cpuNs();
  const load = await closedLoop(
    server.socketPath,
    [request],
    connections,
    Number(options.seconds) * 1000,
  );
  if (load.failures > 0)
    throw new Error(`${load.failures} of ${load.requests} answers were failures`);
  return {
    cpuUs: (server.cpuNs() - before) / 1000 / load.requests,
    perSecond: (load.requests / load.elapsedMs) * 1000,
  };
}

const host = () => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  bun: Bun.version,
});

function print(findings: Finding[]) {
  const { cpu, cores, bun } = host();
  console.log(
    `${cpu}, ${cores} cores, Bun ${bun}; ratios are ours / bare with 95 % bootstrap intervals over pairs\n`,
  );
  console.log("operation          pairs  CPU per request      requests per second");
  for (const { operation, pairs, cpuRatio, rateRatio } of findings) {
    console.log(
      `${operation.padEnd(18)} ${String(pairs).padEnd(6)} ${cpuRatio.padEnd(20)} ${rateRatio}`,
    );
  }
}
