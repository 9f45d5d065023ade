import { renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readCheckout } from "#lib/build-info.ts";
import { OperatorError } from "#lib/errors.ts";
import { SHIPPED_FILES } from "#lib/shipped-files.ts";

const ROOT = join(import.meta.dir, "..");
const MEBIBYTE = 1_048_576;

/**
 * Builds the executable: the code as bytecode, the migrations, the catalog, the reference page, and
 * Bun itself; no tests, benchmarks or embedded PostgreSQL. Returns its path.
 */
export async function buildExecutable(outfile: string): Promise<string> {
  const path = resolve(outfile);
  const shipped = SHIPPED_FILES.flatMap((glob) => [
    ...new Bun.Glob(glob).scanSync({ cwd: ROOT }),
  ]).sort();
  // Bun writes a source map for every file beside it. They are not shipped.
  const workDir = `${path}.build`;
  const built = await Bun.build({
    entrypoints: ["cli/main.ts", ...shipped].map((file) => join(ROOT, file)),
    root: ROOT,
    target: "bun",
    format: "esm",
    bytecode: true,
    // Identifiers are kept: the log and `explain` tell errors apart by the names of their classes,
    // which keepNames does not keep.
    minify: { whitespace: true, syntax: true, identifiers: false },
    // Stack traces in the log of the executable name files and lines of the sources.
    sourcemap: "linked",
    // Embedded as files with their paths; so are imported files (the reference page).
    loader: { ".yaml": "file", ".sql": "file" },
    naming: { asset: "[dir]/[name].[ext]" },
    // Commands that need a checkout import these dynamically.
    external: ["#test/*", "#deploy/topology/*"],
    define: { BUILT_FROM: JSON.stringify(builtFrom()) },
    // Reads no file of the working directory except .env.
    compile: {
      outfile: join(workDir, "irontrack"),
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
    throw: false,
  });
  if (!built.success) throw new OperatorError(`Could not build:\n${built.logs.join("\n")}`);
  renameSync(join(workDir, "irontrack"), path);
  rmSync(workDir, { recursive: true });
  console.error(`${path}: ${Math.round(statSync(path).size / MEBIBYTE)} MiB`);
  return path;
}

/**
 * The commit to build. IRONTRACK_COMMIT names it where there is no repository, as in an image
 * build.
 */
function builtFrom(): { commit: string | null; isDirty: boolean } {
  const checkout = readCheckout();
  const commit = process.env.IRONTRACK_COMMIT ?? "";
  return {
    ...checkout,
    commit: checkout.commit ?? (/^[0-9a-f]{7,64}$/.test(commit) ? commit : null),
  };
}
