import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OperatorError } from "./errors.ts";
import { isExecutable } from "./shipped-files.ts";

/** The directory with all files of `up`, and the paths inside it. */
export type Home = {
  dir: string;
  /** PostgreSQL's data, owned by the user that it runs as. */
  dataDir: string;
  postgresLog: string;
  /** The directory of the sockets. Outside of `dir` if the paths would be too long otherwise. */
  runDir: string;
  keyFile: string;
};

/** Relative paths start at the checkout; those of the executable at the working directory. */
const ROOT = isExecutable ? process.cwd() : join(import.meta.dir, "..");
/** sun_path has 108 bytes with the final zero; the longest name in it is PostgreSQL's lock file. */
const MAX_RUN_DIR = 107 - "/postgres/.s.PGSQL.5432.lock".length;

/** Opens the directory of IRONTRACK_HOME, and creates it if absent. Throws OperatorError. */
export function openHome(setting: string): Home {
  const dir = resolve(ROOT, setting);
  const runInside = join(dir, "run");
  const runDir =
    Buffer.byteLength(runInside) <= MAX_RUN_DIR
      ? runInside
      : join(tmpdir(), `irontrack-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`);
  explainDirectoryErrors(dir, () => {
    // Other users may enter, because PostgreSQL may run as another user, but not list it.
    for (const path of [dir, runDir]) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, 0o711);
    }
  });
  return {
    dir,
    dataDir: join(dir, "postgres"),
    postgresLog: join(dir, "postgres.log"),
    runDir,
    keyFile: join(dir, "jwt-keys.json"),
  };
}

/**
 * Locks the home until this process ends, in whatever way. If it is locked already, throws an
 * OperatorError that names the process.
 */
export function lockHome(home: Home): Lock {
  const files = { lockFile: join(home.dir, "lock.sqlite"), pidFile: join(home.dir, "holder.pid") };
  return takeLock(
    home.dir,
    files,
    (holder) => `${home.dir} is already in use by process ${holder ?? "unknown"} (IRONTRACK_HOME)`,
  );
}

/** Locks the sockets of the workers, like `lockHome`. */
export function lockWorkers(home: Home): Lock {
  const files = {
    lockFile: join(home.runDir, "workers.sqlite"),
    pidFile: join(home.runDir, "workers.pid"),
  };
  return takeLock(
    home.runDir,
    files,
    (holder) =>
      `The workers of ${home.dir} are already run by process ${holder ?? "unknown"} (IRONTRACK_HOME)`,
  );
}

type Lock = { release(): void };

/** Uses the file lock of SQLite, which the kernel releases when its process is killed. */
function takeLock(
  dir: string,
  { lockFile, pidFile }: { lockFile: string; pidFile: string },
  inUseMessage: (holder: number | undefined) => string,
): Lock {
  return explainDirectoryErrors(dir, () => {
    // Only the owner may open the file, because any process that can open it could lock it.
    closeSync(openSync(lockFile, "a", 0o600));
    chmodSync(lockFile, 0o600);
    const lock = new Database(lockFile);
    try {
      lock.run("pragma locking_mode = exclusive");
      lock.run("begin exclusive");
    } catch (error) {
      lock.close();
      const { code } = error as { code?: string };
      if (code === "SQLITE_NOTADB") throw new OperatorError(`${lockFile} is damaged: remove it`);
      if (code !== "SQLITE_BUSY") throw error;
      throw new OperatorError(inUseMessage(readPid(pidFile)));
    }
    writeFileSync(pidFile, `${process.pid}\n`);
    return { release: () => lock.close() };
  });
}

/** Runs `work`. If the directory is not writable or the disk is full, throws an OperatorError. */
export function explainDirectoryErrors<T>(dir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = (error as { code?: string }).code ?? "";
    if (["ENOSPC", "EDQUOT", "SQLITE_FULL"].includes(code) || code.startsWith("SQLITE_IOERR")) {
      throw new OperatorError(`No space left in ${dir} (IRONTRACK_HOME)`);
    }
    if (NOT_WRITABLE.includes(code))
      throw new OperatorError(`Cannot write to ${dir} (IRONTRACK_HOME): ${code}`);
    throw error;
  }
}

const NOT_WRITABLE = [
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOTDIR",
  "EEXIST",
  "ENOENT",
  "SQLITE_CANTOPEN",
  "SQLITE_READONLY",
];

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}
