import type { CAC } from "cac";
import { benchCatalog } from "../compare/catalog.ts";
import { compareWithBare, OPERATIONS } from "../compare/compare.ts";
import { benchGrowth } from "../compare/growth.ts";
import { comparePasswordLibraries } from "../compare/passwords.ts";
import { comparePeers } from "../compare/peers.ts";
import { peersMarkdown, writePeers } from "../compare/peers-table.ts";
import { benchTraining } from "../compare/training.ts";

/**
 * What compares two things in pairs of runs: an operation with a bare server, a statement with
 * pgbench, much with little.
 */
export function registerComparisons(cli: CAC): void {
  cli
    .command(
      "[...operations]",
      `Server CPU per request beside a bare Bun.serve: ${Object.keys(OPERATIONS).join(", ")}`,
    )
    .option("--pairs <n>", "Pairs of runs, each with fresh processes", { default: 9 })
    .option("--seconds <s>", "Length of a run", { default: 2 })
    .option("--connections <n>", "Connections, closed loop", { default: 32 })
    .option("--json", "Print JSON")
    .action(compareWithBare);
  cli
    .command(
      "passwords",
      "Argon2id: @node-rs/argon2 beside Bun.password, with the settings of this host",
    )
    .option("--pairs <n>", "Pairs of hashes", { default: 15 })
    .action(async ({ pairs }: { pairs: number }) =>
      console.log(await comparePasswordLibraries(Number(pairs))),
    );
  cli
    .command(
      "catalog",
      "The page of exercises beside five flat statements, pgbench and a bare ping",
    )
    .option("--pairs <n>", "Rounds, each with fresh processes", { default: 9 })
    .option("--seconds <s>", "Length of a run", { default: 2 })
    .option("--json", "Print JSON, every run included")
    .action(({ pairs, seconds, json }: { pairs: number; seconds: number; json?: boolean }) =>
      benchCatalog({ pairs: Number(pairs), seconds: Number(seconds), json: json ?? false }),
    );
  cli
    .command(
      "peers",
      "/ping, me and the page of exercises beside bare Bun.serve, Hono, Fastify, Express and pgbench",
    )
    .option("--pairs <n>", "Rounds, each with fresh processes", { default: 8 })
    .option("--seconds <s>", "Length of a run", { default: 1 })
    .option("--json", "Print JSON, every run included")
    .option("--write", "Write a directory of bench/results")
    .action(async ({ pairs, seconds, json, write }: Record<string, unknown>) => {
      const result = await comparePeers({ pairs: Number(pairs), seconds: Number(seconds) });
      console.log(json ? JSON.stringify(result, null, 2) : peersMarkdown(result));
      if (write) console.error(`Written to ${writePeers(result)}`);
    });
  cli
    .command("growth", "Reads of exercises with many exercises of other people, beside few")
    .option("--few <n>", "Exercises of other people at first", { default: 10_000 })
    .option("--many <n>", "Exercises of other people in the end", { default: 1_000_000 })
    .action(({ few, many }: { few: number; many: number }) =>
      benchGrowth(Number(few), Number(many)),
    );
  cli
    .command(
      "training",
      "Operations on one's training among many people's sets, beside few; logging a set beside pgbench",
    )
    .option("--small <n>", "Sets in the smaller database", { default: 100_000 })
    .option("--large <n>", "Sets in the larger database", { default: 10_000_000 })
    .option("--rounds <n>", "Rounds of runs", { default: 10 })
    .option("--runs <n>", "Runs of each operation in a round", { default: 30 })
    .option("--pairs <n>", "Pairs of runs beside pgbench", { default: 7 })
    .option("--seconds <s>", "Length of a run beside pgbench", { default: 3 })
    .option("--explain", "Also print the plans in the larger database")
    .action(({ explain, ...given }: Record<string, unknown>) => {
      const { small, large, rounds, runs, pairs, seconds } = given;
      const [few, many] = [Number(small), Number(large)];
      return benchTraining({
        ...{ small: few, large: many, rounds: Number(rounds), runs: Number(runs) },
        ...{ pairs: Number(pairs), seconds: Number(seconds), explain: explain === true },
      });
    });
}
