import { postgresError, withCauses } from "../causes.ts";
import { AppError, OperatorError } from "../errors.ts";

/** The message for an error, and the exit code: 2 for wrong usage, 1 for a failure. */
export type Explanation = {
  message: string;
  exitCode: number;
  /** Whether the error is unexpected, so that its stack trace helps. */
  isBug: boolean;
};

/** Explanations by the error code of the operating system or the driver. */
const CAUSES: Record<string, string> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use by another process",
  EADDRNOTAVAIL: "this machine has no such address",
  EAI_AGAIN: "the host name cannot be resolved",
  EBUSY: "it is in use",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was closed",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "the file would be larger than the limit",
  EHOSTUNREACH: "the host cannot be reached",
  EIO: "the disk failed",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links form a loop",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENETUNREACH: "the network cannot be reached",
  ENFILE: "too many files are open",
  ENOENT: "there is no such file or directory",
  ENOMEM: "there is not enough memory",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "a component of the path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  ENOTFOUND: "there is no such host",
  EPERM: "it is not permitted",
  EPIPE: "the reading end of the pipe is closed",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "there was no answer in time",
  ETXTBSY: "the program is running",
  EXDEV: "it is on another file system",
  CONNECT_TIMEOUT: "there was no answer in time",
  CONNECTION_CLOSED: "the connection was closed",
  CONNECTION_DESTROYED: "the connection was closed",
  CONNECTION_ENDED: "the connection was closed",
  OVERLOADED: "the server is overloaded",
};

const VERBS: Record<string, string> = {
  mkdir: "make",
  mkdtemp: "make",
  scandir: "read",
  opendir: "read",
  unlink: "remove",
  rm: "remove",
  rmdir: "remove",
  copyfile: "copy",
  connect: "connect to",
  listen: "listen on",
  stat: "open",
  statfs: "open",
};

/** The explanation of an error code, followed by the code; undefined for unknown codes. */
export const causeOf = (code: string | undefined): string | undefined =>
  code !== undefined && code in CAUSES ? `${CAUSES[code]} (${code})` : undefined;

/**
 * Explains an error that a command threw, in one sentence. Anything but a known user or system
 * error is a bug.
 */
export function explain(error: unknown): Explanation {
  const failure = (message: string): Explanation => ({ message, exitCode: 1, isBug: false });
  if (error instanceof OperatorError)
    return { message: error.message, exitCode: error.exitCode, isBug: false };
  if (error instanceof AppError) {
    const faults = (error.errors ?? []).map(
      ({ field, message }) => `\n  ${field.slice(1)}: ${message}`,
    );
    return failure(`${error.message}${faults.join("")}`);
  }
  if (error instanceof Error && error.name === "CACError")
    return { message: error.message, exitCode: 2, isBug: false };
  const databaseError = postgresError(error);
  if (databaseError) {
    const { message, code } = databaseError;
    return failure(`PostgreSQL says: ${message} (${code})${adviceOn(code)}`);
  }
  for (const cause of withCauses(error)) {
    const explained = explainSystemError(cause as NodeJS.ErrnoException);
    if (explained) return failure(explained);
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { message: `this should not happen: ${message}`, exitCode: 1, isBug: true };
}

function explainSystemError(error: NodeJS.ErrnoException): string | undefined {
  const { code = "", syscall = "", path } = error;
  const cause = CAUSES[code];
  if (cause === undefined) return undefined;
  if (syscall.startsWith("spawn"))
    return `Cannot run ${path ?? "a program"}: ${code === "ENOENT" ? "it is not installed, or not on the PATH" : cause} (${code})`;
  const { address, port, dest } = error as { address?: string; port?: number; dest?: string };
  const isFile = typeof path === "string" && syscall !== "connect";
  if (isFile)
    return `Cannot ${VERBS[syscall] ?? (syscall || "use")} ${dest ?? path}: ${cause} (${code})`;
  if (syscall === "write") return `Cannot write the output: ${cause} (${code})`;
  if (syscall && !["connect", "listen"].includes(syscall))
    return `Cannot ${syscall}: ${cause} (${code})`;
  const where =
    address === undefined ? "" : ` at ${port === undefined ? address : `${address}:${port}`}`;
  if (syscall === "connect" || code.startsWith("CONNECT") || code === "ECONNREFUSED")
    return `Cannot reach the database${where}: ${code === "ENOENT" ? "nothing listens there" : cause} (${code})`;
  return `${cause} (${code})`;
}

/** Advice on an error of PostgreSQL; empty if there is none. */
function adviceOn(code: string): string {
  if (["42P01", "42703", "42883", "3F000"].includes(code))
    return ". Is the schema of this version? Run irontrack migrate";
  if (code === "53300") return ". Raise max_connections, or lower DATABASE_POOL_SIZE";
  if (code === "42501") return ". The role of DATABASE_URL may not do this";
  return "";
}
