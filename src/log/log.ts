import { type DestinationStream, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { postgresError } from "#lib/causes.ts";
import type { Config } from "../config/config.ts";
import { type LogStream, openLogStream } from "./log-stream.ts";

export type Log = ReturnType<typeof openLog>["log"];

/** Fields with secrets, which are redacted at the outermost three levels of a log object. */
const SECRETS = [
  "password",
  "newPassword",
  "currentPassword",
  "confirmPassword",
  "passwordHash",
  "token",
  "accessToken",
  "refreshToken",
  "access_token",
  "refresh_token",
  "cookie",
  "authorization",
  "set-cookie",
  "secret",
  "privateKey",
  "JWT_PRIVATE_KEYS",
  "DATABASE_URL",
  "DATABASE_DIRECT_URL",
  "DATABASE_REPLICA_URLS",
  "DATABASE_PASSWORD",
];
const redact = {
  paths: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  censor: "[redacted]",
};

/**
 * An error as it is logged: without statement parameters (drizzle puts them into its message, and
 * so into the stack), without the row that PostgreSQL quotes in `detail`, and without the value
 * that it quotes in the message of a data exception (class 22).
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const {
    code,
    constraint_name: constraint,
    cause,
  } = error as { code?: unknown; constraint_name?: unknown } & Error;
  const message = error.message.replace(/\nparams: .*/s, "");
  const isDataException = postgresError(error) === error && String(code).startsWith("22");
  return {
    type: error.name,
    message: isDataException ? message.replace(/".*"/s, '"…"') : message,
    stack: error.stack
      ?.split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n"),
    ...(code === undefined ? {} : { code }),
    ...(constraint === undefined ? {} : { constraint }),
    ...(cause === undefined || depth === 4 ? {} : { cause: describeError(cause, depth + 1) }),
  };
}

const serializers = { err: (error: unknown) => describeError(error) };

/** Logs one request. `route` is a pattern, never a path, because paths contain user input. */
export type RequestLog = (
  requestId: string,
  method: string,
  route: string,
  status: number,
  durationMs: number,
  userId: string | undefined,
  /** Must be validated: the log does not escape it. */
  traceparent: string | undefined,
) => void;

const LINES_PER_WRITE = 256;
const MAX_WAIT_MS = 100;

/**
 * Opens a pino logger, and a log of requests on the same stream: JSON lines on stdout, or readable
 * lines on a terminal. Lines are formatted in this thread (a pino transport needs a worker file,
 * which a compiled binary does not contain) and buffered; each is written within 350 ms. Call
 * `flush` at the end of the process; lines logged later may be lost.
 */
export function openLog(config: Pick<Config, "LOG_LEVEL">, to?: DestinationStream) {
  const stdout = to ? undefined : openStdout();
  const stream = to ?? (stdout as LogStream);
  // On a terminal and in tests, each line is written at once.
  const linesPerWrite = to || process.stdout.isTTY ? 1 : LINES_PER_WRITE;
  const log = pino(
    {
      level: config.LOG_LEVEL,
      redact,
      serializers,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stream,
  );
  const requests = log.isLevelEnabled("info") ? requestLogOn(stream, linesPerWrite) : undefined;
  if (stdout)
    process.on("exit", () => {
      requests?.flush();
      stdout.flushNow();
    });
  return {
    log,
    requestLog: requests?.log ?? (() => {}),
    flush: async () => {
      requests?.flush();
      await stdout?.flush();
    },
  };
}

/**
 * Formats the lines by hand and writes many at once, because pino costs several times as much on
 * the hot path (ADR 0005). Nothing needs escaping: ids are validated, and methods and routes come
 * from the code.
 */
function requestLogOn(
  stream: DestinationStream,
  linesPerWrite: number,
): { log: RequestLog; flush(): void } {
  let lines = "";
  let count = 0;
  let timer: Timer | undefined;
  let second = 0;
  let secondPrefix = "";
  let millisecond = 0;
  let prefix = "";
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    count = 0;
    if (lines !== "") stream.write(lines);
    lines = "";
  };
  const log: RequestLog = (requestId, method, route, status, durationMs, userId, traceparent) => {
    const now = Date.now();
    if (now !== millisecond) {
      millisecond = now;
      const thisSecond = Math.floor(now / 1000);
      if (thisSecond !== second)
        secondPrefix = new Date(thisSecond * 1000).toISOString().slice(0, 20);
      second = thisSecond;
      prefix = `{"level":30,"time":"${secondPrefix}${String(now % 1000).padStart(3, "0")}Z","requestId":"`;
    }
    const user = userId === undefined ? "" : `,"userId":"${userId}"`;
    const trace = traceparent === undefined ? "" : `,"traceparent":"${traceparent}"`;
    lines += `${prefix}${requestId}","method":"${method}","route":"${route}","status":${status},"durationMs":${Math.round(durationMs * 100) / 100}${user}${trace},"msg":"request"}\n`;
    if (++count >= linesPerWrite) flush();
    else timer ??= setTimeout(flush, MAX_WAIT_MS);
  };
  return { log, flush };
}

/** JSON lines on a pipe or in a file; on a terminal, readable lines without buffering. */
function openStdout(): LogStream {
  if (!process.stdout.isTTY) return openLogStream(1);
  const stream = openLogStream(1, { bytesPerWrite: 1 });
  const format = prettyFactory({ ignore: "pid,hostname", colorize: true, singleLine: true });
  return { ...stream, write: (line) => stream.write(format(line)) };
}
