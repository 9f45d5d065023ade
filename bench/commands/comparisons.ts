import type { CAC } from "cac";
import { compareWithBare, OPERATIONS } from "../compare/bare-comparison.ts";
import { benchCatalog } from "../compare/catalog.ts";
import { benchGrowth } from "../compare/growth.ts";
import { comparePasswordLibraries } from "../compare/passwords.ts";
import { comparePeers } from "../compare/peers.ts";
import { peersMarkdown, writePeers } from "../compare/peers-table.ts";
import { benchTraining } from "../compare/training.ts";

/** Commands that compare two systems in pairs of runs. */
export function registerComparisons(cli: CAC): void {
  cli
    .command(
      "[...operations]",
      `Compare server CPU per request with a bare Bun.serve: ${Object.keys(OPERATIONS).join(", ")}`,
    )
    .option("--pairs <n>", "Pairs of runs, each with fresh processes", { default: 9 })
    .option("--seconds <s>", "Length of a run in seconds", { default: 2 })
    .option("--connections <n>", "Connections, closed loop", { default: 32 })
    .option("--json", "Print JSON")
    .action(compareWithBare);
  cli
    .command(
      "passwords",
      "Compare Argon2id in @node-rs/argon2 and Bun.password, with the settings of this host",
    )
    .option("--pairs <n>", "Pairs of hashes", { default: 15 })
    .action(async ({ pairs }: { pairs: number }) =>
      console.log(await comparePasswordLibraries(Number(pairs))),
    );
  cli
    .command(
      "catalog",
      "Compare the page of exercises with five flat statements, pgbench and a bare /ping",
    )
    .option("--pairs <n>", "Rounds, each with fresh processes", { default: 9 })
    .option("--seconds <s>", "Length of a run in seconds", { default: 2 })
    .option("--json", "Print JSON with every run")
    .action(({ pairs, seconds, json }: { pairs: number; seconds: number; json?: boolean }) =>
      benchCatalog({ pairs: Number(pairs), seconds: Number(seconds), json: json ?? false }),
    );
  cli
    .command(
      "peers",
      "Compare /ping, me and the page of exercises with bare Bun.serve, Hono, Fastify, Express and pgbench",
    )
    .option("--pairs <n>", "Rounds, each with fresh processes", { default: 8 })
    .option("--seconds <s>", "Length of a run in seconds", { default: 1 })
    .option("--json", "Print JSON with every run")
    .option("--write", "Also write the result to bench/results")
    .action(async ({ pairs, seconds, json, write }: Record<string, unknown>) => {
      const result = await comparePeers({ pairs: Number(pairs), seconds: Number(seconds) });
      console.log(json ? JSON.stringify(result, null, 2) : peersMarkdown(result));
      if (write) console.error(`Written to ${writePeers(result)}`);
    });
  cli
    .command(
      "growth",
      "Compare reads of exercises between a small and a large catalog of other users",
    )
    .option("--few <n>", "Other users' exercises in the small catalog", { default: 10_000 })
    .option("--many <n>", "Other users' exercises in the large catalog", { default: 1_000_000 })
    .action(({ few, many }: { few: number; many: number }) =>
      benchGrowth(Number(few), Number(many)),
    );
  cli
    .command(
      "training",
      "Compare training operations between a small and a large database, and logging a set with pgbench",
    )
    .option("--small <n>", "Sets in the smaller database", { default: 100_000 })
    .option("--large <n>", "Sets in the larger database", { default: 10_000_000 })
    .option("--rounds <n>", "Rounds of runs", { default: 10 })
    .option("--runs <n>", "Runs of each operation in a round", { default: 30 })
    .option("--pairs <n>", "Pairs of runs compared with pgbench", { default: 7 })
    .option("--seconds <s>", "Length of a pgbench run in seconds", { default: 3 })
    .option("--explain", "Also print the query plans in the larger database")
    .action(({ explain, ...options }: Record<string, unknown>) =>
      benchTraining({
        small: Number(options.small),
        large: Number(options.large),
        rounds: Number(options.rounds),
        runs: Number(options.runs),
        pairs: Number(options.pairs),
        seconds: Number(options.seconds),
        explain: explain === true,
      }),
    );
}
