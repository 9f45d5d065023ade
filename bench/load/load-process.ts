// Runs the generator in its own process, so that its CPU and garbage collection affect nothing
// else. Argument: a directory with plan.json, to which recording.bin is written.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "./generator.ts";
import { type PlanFile, toBytes } from "./run.ts";

const directory = process.argv[2] ?? "";
const { requests, ...plan } = JSON.parse(
  readFileSync(join(directory, "plan.json"), "utf8"),
) as PlanFile;
const recording = await generate({ ...plan, requests: requests.map((text) => Buffer.from(text)) });
writeFileSync(join(directory, "recording.bin"), toBytes(recording));
process.exit(0);
