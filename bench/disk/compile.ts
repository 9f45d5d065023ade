import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { OperatorError } from "#lib/errors.ts";

/** What a C source becomes: something to load, or something to run. */
export type Kind = "library" | "program";

const FLAGS = { library: ["-shared", "-fPIC"], program: [] };

/**
 * A C source of ours, compiled once for each version of it; where the result is. Throws when there
 * is no C compiler.
 */
export function compile(source: string, kind: Kind): string {
  const path = join(import.meta.dir, source);
  const version = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  const ending = kind === "library" ? ".so" : "";
  const compiled = join(tmpdir(), `irontrack-${basename(source, ".c")}-${version}${ending}`);
  if (existsSync(compiled)) return compiled;
  const unfinished = `${compiled}.${process.pid}`;
  const done = spawnSync(
    "cc",
    ["-O2", "-Wall", ...FLAGS[kind], "-o", unfinished, path, "-ldl", "-lpthread"],
    {
      encoding: "utf8",
    },
  );
  if (done.status !== 0) {
    throw new OperatorError(
      `${source} needs a C compiler (apt-get install gcc): ${done.error?.message ?? done.stderr}`,
    );
  }
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, compiled);
  return compiled;
}
