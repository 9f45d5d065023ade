import { join } from "node:path";

/** True in the executable that `irontrack build` makes, false in a checkout. */
export const isExecutable = import.meta.dir.startsWith("/$bunfs/");

const ROOT = isExecutable ? "/$bunfs/root" : join(import.meta.dir, "..");

/**
 * What is read at run time, as Bun's globs: the executable has these inside, at the same places as
 * a checkout.
 */
export const SHIPPED_FILES = ["db/migrations/*.sql", "seeds/catalog/**/*.yaml"];

/**
 * Where a file or directory of SHIPPED_FILES is, from the root of the repository; reads like any
 * other.
 */
export const shippedPath = (path: string): string => join(ROOT, path);
