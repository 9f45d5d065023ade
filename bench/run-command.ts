import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportHtml, reportMarkdown } from "./report/report.ts";
import { type RunOptions, runHttp, USUAL } from "./run-http.ts";
import { HTTP_SCENARIOS } from "./suites/http.ts";

const RESULTS = join(import.meta.dir, "results");

/** Puts operations under load and writes what came of it: raw figures, a page, and a summary, which is printed too. */
export async function runCommand(
  suite: string,
  names: string[],
  options: Omit<RunOptions, "onStep"> & { out?: string },
) {
  if (suite !== "http") throw new Error(`There is no suite ${suite}; there is http`);
  const known = HTTP_SCENARIOS.map(({ operation }) => operation);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`There is no operation ${wrong}; see bun bench counts`);
  const { profile } = options;
  const onStep = (step: string) => void process.stderr.write(`\r\x1b[K${step}`);
  const result = await runHttp(names.length > 0 ? names : USUAL, { ...options, onStep });
  process.stderr.write("\r\x1b[K");
  const name = `${result.host.at.slice(0, 10)}-${result.host.commit}-${suite}-${profile}${options.isCold ? "-cold" : ""}`;
  const directory = options.out ?? join(RESULTS, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), `${JSON.stringify(result)}\n`);
  writeFileSync(join(directory, "report.html"), reportHtml(result));
  writeFileSync(join(directory, "summary.md"), reportMarkdown(result));
  console.log(reportMarkdown(result));
  console.log(`Written to ${directory}`);
  return [result.disk, ...result.results].every(({ doubts }) => doubts.length === 0);
}
