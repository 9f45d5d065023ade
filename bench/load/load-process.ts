// The generator as a process of its own, so that neither its CPU nor its garbage is anybody else's.
// Argument: a directory with plan.json, into which the recording is written as recording.bin.
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
