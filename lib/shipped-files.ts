import { join } from "node:path";

/** True in the executable that `irontrack build` makes, false in a checkout. */
export const isExecutable = import.meta.dir.startsWith("/$bunfs/");

const ROOT = isExecutable ? "/$bunfs/root" : join(import.meta.dir, "..");

/** Globs of the files that are read at run time. The executable embeds them at the same paths. */
export const SHIPPED_FILES = ["db/migrations/*.sql", "seeds/catalog/**/*.yaml"];

/** The absolute path of a file or directory of SHIPPED_FILES, given relative to the repository. */
export const shippedPath = (path: string): string => join(ROOT, path);
