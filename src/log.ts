import { type DestinationStream, destination, pino } from "pino";
import pretty from "pino-pretty";
import type { Config } from "./config.ts";

export type Log = ReturnType<typeof openLog>["log"];

/** Names under which secrets travel; their values never reach a log line, at any of the three outer depths. */
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
];
const redact = {
  paths: SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
  censor: "[redacted]",
};

/** Writes one line about an answered request. `route` is a pattern, never a path: paths carry what people typed. */
export type RequestLog = (
  requestId: string,
  method: string,
  route: string,
  status: number,
  durationMs: number,
  userId: string | undefined,
) => void;

/**
 * A pino logger, and the line per request that shares its stream: JSON lines on stdout, readable ones on a terminal.
 * Lines are written from this thread (a pino transport needs a worker that a compiled binary does not carry) and are
 * buffered for at most a quarter of a second.
 */
export function openLog(config: Pick<Config, "LOG_LEVEL">, to?: DestinationStream) {
  const stream = to ?? (process.stdout.isTTY ? pretty({ sync: true, ignore: "pid,hostname" }) : bufferedStdout());
  const log = pino({ level: config.LOG_LEVEL, redact, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return { log, requestLog: log.isLevelEnabled("info") ? requestLogOn(stream) : () => {} };
}

/**
 * The line by hand: nothing in it needs escaping (ids are checked, methods and routes are ours), and pino's own way to
 * the same line costs three times as much on the hot path (ADR 0005).
 */
function requestLogOn(stream: DestinationStream): RequestLog {
  let second = 0;
  let prefix = "";
  return (requestId, method, route, status, durationMs, userId) => {
    const now = Date.now();
    const thisSecond = Math.floor(now / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      prefix = new Date(thisSecond * 1000).toISOString().slice(0, 20);
    }
    const millisecond = String(now % 1000).padStart(3, "0");
    const user = userId === undefined ? "" : `,"userId":"${userId}"`;
    stream.write(
      `{"level":30,"time":"${prefix}${millisecond}Z","requestId":"${requestId}","method":"${method}","route":"${route}","status":${status},"durationMs":${durationMs.toFixed(2)}${user},"msg":"request"}\n`,
    );
  };
}

function bufferedStdout() {
  const stream = destination({ fd: 1, sync: true, minLength: 4096 });
  setInterval(() => stream.flush(), 250).unref();
  process.on("exit", () => stream.flushSync());
  return stream;
}
