import { renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readCheckout } from "#lib/build-info.ts";
import { OperatorError } from "#lib/errors.ts";
import { SHIPPED_FILES } from "#lib/shipped-files.ts";

const ROOT = join(import.meta.dir, "..");
const MEBIBYTE = 1_048_576;

/**
 * Builds the executable that ships: the code as bytecode, the migrations, the catalog, the
 * reference page, and Bun itself; no tests, benchmarks or embedded PostgreSQL. Returns its path.
 */
export async function buildExecutable(outfile: string): Promise<string> {
  const path = resolve(outfile);
  const shipped = SHIPPED_FILES.flatMap((glob) => [
    ...new Bun.Glob(glob).scanSync({ cwd: ROOT }),
  ]).sort();
  // Bun leaves a map beside it for every file: they are not shipped.
  const workshop = `${path}.build`;
  const built = await Bun.build({
    entrypoints: ["cli/main.ts", ...shipped].map((file) => join(ROOT, file)),
    root: ROOT,
    target: "bun",
    format: "esm",
    bytecode: true,
    // Names stay: libraries name an error by its class, and the log and `explain` tell errors apart
    // by that (keepNames does not keep those).
    minify: { whitespace: true, syntax: true, identifiers: false },
    // Inside the executable too: stack traces in the log name our files and lines.
    sourcemap: "linked",
    // As files, at their places; imported ones (the reference page) too.
    loader: { ".yaml": "file", ".sql": "file" },
    naming: { asset: "[dir]/[name].[ext]" },
    // Of a checkout only: loaded by commands that need one, when they run.
    external: ["#test/*", "#deploy/topology/*"],
    define: { BUILT_FROM: JSON.stringify(builtFrom()) },
    // What lies in the directory it is started in is none of its business, but settings are.
    compile: {
      outfile: join(workshop, "irontrack"),
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
    throw: false,
  });
  if (!built.success) throw new OperatorError(`Could not build:\n${built.logs.join("\n")}`);
  renameSync(join(workshop, "irontrack"), path);
  rmSync(workshop, { recursive: true });
  console.error(`${path}: ${Math.round(statSync(path).size / MEBIBYTE)} MiB`);
  return path;
}

/**
 * The commit to build. IRONTRACK_COMMIT names it where there is no repository, as in an image
 * build.
 */
function builtFrom(): { commit: string | null; isDirty: boolean } {
  const checkout = readCheckout();
  const given = process.env.IRONTRACK_COMMIT ?? "";
  return {
    ...checkout,
    commit: checkout.commit ?? (/^[0-9a-f]{7,64}$/.test(given) ? given : null),
  };
}
