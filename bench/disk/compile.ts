import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { OperatorError } from "#lib/errors.ts";

/** A shared library or a program. */
export type Kind = "library" | "program";

const FLAGS = { library: ["-shared", "-fPIC"], program: [] };

/**
 * Compiles a C source of this directory once for each version, and returns the path of the result.
 * Throws OperatorError without a C compiler.
 */
export function compile(source: string, kind: Kind): string {
  const path = join(import.meta.dir, source);
  const version = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  const suffix = kind === "library" ? ".so" : "";
  const compiled = join(tmpdir(), `irontrack-${basename(source, ".c")}-${version}${suffix}`);
  if (existsSync(compiled)) return compiled;
  const temporary = `${compiled}.${process.pid}`;
  const result = spawnSync(
    "cc",
    ["-O2", "-Wall", ...FLAGS[kind], "-o", temporary, path, "-ldl", "-lpthread"],
    {
      encoding: "utf8",
    },
  );
  if (result.status !== 0) {
    throw new OperatorError(
      `${source} needs a C compiler (apt-get install gcc): ${result.error?.message ?? result.stderr}`,
    );
  }
  chmodSync(temporary, 0o755);
  renameSync(temporary, compiled);
  return compiled;
}
