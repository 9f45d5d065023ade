import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OperatorError } from "./errors.ts";
import { isExecutable } from "./shipped-files.ts";

/** The directory that `up` keeps everything in, and the paths inside it. */
export type Home = {
  dir: string;
  /** PostgreSQL's data; owned by the user it runs as. */
  dataDir: string;
  postgresLog: string;
  /** Sockets. Short enough for sun_path, so not always inside `dir`. */
  runDir: string;
  keyFile: string;
};

/** The checkout; the executable has none, and starts from where it is called. */
const ROOT = isExecutable ? process.cwd() : join(import.meta.dir, "..");
/**
 * sun_path holds 108 bytes with its final zero; the longest name we put after the directory has 24.
 */
const MAX_RUN_DIR = 107 - "/postgres/.s.PGSQL.5432.lock".length;

/**
 * The home that IRONTRACK_HOME names, created when absent. Throws OperatorError when that cannot
 * be.
 */
export function openHome(setting: string): Home {
  const dir = resolve(ROOT, setting);
  const runInside = join(dir, "run");
  const runDir =
    Buffer.byteLength(runInside) <= MAX_RUN_DIR
      ? runInside
      : join(tmpdir(), `irontrack-${createHash("sha256").update(dir).digest("hex").slice(0, 12)}`);
  orExplain(dir, () => {
    // Others may pass through to what is theirs (PostgreSQL as another user), but not list.
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
 * Takes the home for this process until it ends, however it ends. Throws OperatorError that names
 * the process which holds it.
 */
export function lockHome(home: Home): Lock {
  const files = { lockFile: join(home.dir, "lock.sqlite"), pidFile: join(home.dir, "holder.pid") };
  return takeLock(
    home.dir,
    files,
    (holder) => `${home.dir} is already in use by process ${holder ?? "unknown"} (IRONTRACK_HOME)`,
  );
}

/** Takes the sockets of the home's workers, as \`lockHome\` takes the home. */
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

/** The lock is the kernel's, on a SQLite file, so a killed holder leaves none behind. */
function takeLock(
  dir: string,
  { lockFile, pidFile }: { lockFile: string; pidFile: string },
  taken: (holder: number | undefined) => string,
): Lock {
  return orExplain(dir, () => {
    // Any process that can open the file could take its lock.
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
      throw new OperatorError(taken(readPid(pidFile)));
    }
    writeFileSync(pidFile, `${process.pid}\n`);
    return { release: () => lock.close() };
  });
}

/**
 * Runs `work`; a directory that cannot be written, or a full disk, becomes one line that names
 * IRONTRACK_HOME.
 */
export function orExplain<T>(dir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const code = (error as { code?: string }).code ?? "";
    if (["ENOSPC", "EDQUOT", "SQLITE_FULL"].includes(code) || code.startsWith("SQLITE_IOERR")) {
      throw new OperatorError(`No space left in ${dir} (IRONTRACK_HOME)`);
    }
    if (
      [
        "EACCES",
        "EPERM",
        "EROFS",
        "ENOTDIR",
        "EEXIST",
        "ENOENT",
        "SQLITE_CANTOPEN",
        "SQLITE_READONLY",
      ].includes(code)
    ) {
      throw new OperatorError(`Cannot write to ${dir} (IRONTRACK_HOME): ${code}`);
    }
    throw error;
  }
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}
