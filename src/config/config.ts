import { readFileSync } from "node:fs";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OperatorError } from "#lib/errors.ts";
import { isLoopback } from "#lib/loopback.ts";

const url = (description: string) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength: 2048 }));
const integer = (description: string, minimum: number, maximum: number, byDefault: number) =>
  Type.Integer({ description, minimum, maximum, default: byDefault });
const text = (description: string, byDefault: string) =>
  Type.String({ description, maxLength: 1024, default: byDefault });
const flag = (description: string, byDefault: boolean) =>
  Type.Boolean({ description, default: byDefault });

/** Every setting, in the order in which `.env.example` shows them. Units are in the names. */
export const Settings = Type.Object({
  NODE_ENV: Type.Union(
    [Type.Literal("production"), Type.Literal("development"), Type.Literal("test")],
    {
      description: "production refuses unsafe settings",
      default: "development",
    },
  ),
  IRONTRACK_HOME: text(
    "Directory of the embedded PostgreSQL's data, the generated key and the sockets; relative to the checkout",
    ".irontrack",
  ),
  DATABASE_URL: url(
    "PostgreSQL to use, over TCP or a Unix socket (?host=/path); unset: the embedded PostgreSQL",
  ),
  DATABASE_DIRECT_URL: url(
    "Same database without a pooler, for migrations and LISTEN; unset: DATABASE_URL",
  ),
  DATABASE_REPLICA_URLS: text(
    "Streaming replicas for reads that may lag, by comma; the same for every process; empty: all reads on the primary",
    "",
  ),
  DATABASE_PASSWORD: Type.Optional(
    Type.String({
      description: "Password for all of them, when their URLs name none",
      minLength: 1,
      maxLength: 1024,
    }),
  ),
  DATABASE_APP_ROLE: Type.Optional(
    Type.String({
      description:
        "Role that prepare makes for the workers: rows only, with time limits; unset: none",
      pattern: "^[a-z_][a-z0-9_]*$",
      maxLength: 63,
    }),
  ),
  DATABASE_APP_PASSWORD: Type.Optional(
    Type.String({ description: "Password of DATABASE_APP_ROLE", minLength: 1, maxLength: 1024 }),
  ),
  DATABASE_POOL_SIZE: integer("Connections per process, and as many to each replica", 1, 100, 8),
  DATABASE_PREPARE: flag("Use prepared statements; false behind a PgBouncer older than 1.21", true),
  DATABASE_WAITING: Type.Optional(
    Type.Integer({
      description:
        "Statements and transactions that may wait for a connection; beyond it 503; unset: 8 per connection",
      minimum: 0,
      maximum: 100_000,
    }),
  ),
  DATABASE_WAIT_MS: integer("Longest wait for a connection; beyond it 503", 10, 60_000, 1000),
  MAX_IN_FLIGHT: integer(
    "Requests per process that may use the database at once; beyond it 503",
    1,
    100_000,
    256,
  ),
  SLOW_STATEMENT_MS: integer(
    "Statements that take longer are logged, without their values",
    0,
    600_000,
    1000,
  ),
  CATALOG_MEMORY_MIB: integer(
    "What each process may remember of the catalog's answers",
    0,
    4096,
    64,
  ),
  PG_BIN: url(
    "Directory of PostgreSQL's pg_dump and pg_restore, for backups; unset: the PATH, then Debian's places",
  ),
  HOST: text(
    "Loopback address to listen on beside the Unix socket; empty: the Unix socket only",
    "127.0.0.1",
  ),
  HOST_PUBLIC: flag(
    "HOST may be an address that other machines reach; COOKIE_SECURE must be true then",
    false,
  ),
  PORT: integer("TCP port to listen on", 1, 65535, 8000),
  SOCKET_PATH: url("Unix socket to listen on; unset: run/irontrack.sock under IRONTRACK_HOME"),
  SOCKET_GROUP: Type.Optional(
    Type.String({
      description:
        "Group that may use the Unix socket, by name or number: the proxy's; unset: this process's own",
      pattern: "^[A-Za-z0-9_.-]+$",
      maxLength: 64,
    }),
  ),
  OPERATOR_SOCKET: flag(
    "Also serve /metrics and /health on a socket beside SOCKET_PATH, with .operator.sock for its .sock",
    true,
  ),
  DRAIN_LINGER_S: Type.Optional(
    Type.Integer({
      description:
        "When stopping, open connections are answered and asked to close for this long before they are: longer than the proxy's keep-alive; unset: 6 with --workers, else 0",
      minimum: 0,
      maximum: 120,
    }),
  ),
  DRAIN_TIMEOUT_S: integer("Longest wait for running requests when stopping", 0, 300, 10),
  LOG_LEVEL: Type.Union(
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"].map((level) =>
      Type.Literal(level),
    ),
    {
      description: "Lowest level that is logged: trace, debug, info, warn, error, fatal or silent",
      default: "info",
    },
  ),
  JWT_PRIVATE_KEYS: Type.Optional(
    Type.String({
      description:
        "JSON array of Ed25519 private JWKs with kid; the first signs, all verify; unset: a key generated under IRONTRACK_HOME",
      minLength: 2,
      maxLength: 16_384,
    }),
  ),
  TOKEN_ISSUER: text("The iss claim of tokens", "irontrack"),
  TOKEN_AUDIENCE: text("The aud claim of tokens", "irontrack"),
  ACCESS_TOKEN_TTL_S: integer("Life of an access token", 60, 3600, 1800),
  REFRESH_TOKEN_TTL_S: integer(
    "Life of a refresh token that is not used",
    3600,
    2_592_000,
    604_800,
  ),
  LOGIN_MAX_AGE_S: integer(
    "A login ends this long after its sign-in, however often refreshed",
    3600,
    31_536_000,
    2_592_000,
  ),
  COOKIE_SECURE: flag("Cookies only over TLS; false only without TLS, in development", false),
  PASSWORD_MEMORY_KIB: integer("Argon2id memory", 19_456, 1_048_576, 65_536),
  PASSWORD_PASSES: integer("Argon2id passes", 2, 20, 3),
  PASSWORD_WORKERS: Type.Optional(
    Type.Integer({
      description: "Password hashes at once; unset: half the cores",
      minimum: 1,
      maximum: 64,
    }),
  ),
  PASSWORD_QUEUE: integer("Password hashes that may wait; beyond it 503", 0, 10_000, 100),
  SIGN_IN_FREE_FAILURES: integer(
    "Failures to sign in to an account before the next must wait",
    1,
    100,
    5,
  ),
  SIGN_IN_DELAY_S: integer(
    "The first such wait; each further failure doubles it, up to a quarter of an hour",
    1,
    900,
    30,
  ),
  SIGN_IN_FAILURES_PER_ADDRESS: integer(
    "Failures to sign in per address and hour",
    1,
    100_000,
    100,
  ),
  SIGN_UPS_PER_ADDRESS: integer("Accounts that one address may create per hour", 1, 100_000, 10),
  REFRESHES_PER_LOGIN: integer("Refreshes of one login per quarter of an hour", 2, 100_000, 60),
  ALLOWED_ORIGINS: text(
    "Origins of front ends elsewhere that may call with cookies, by comma; https in production",
    "",
  ),
  ADMIN_EMAIL: Type.Optional(
    Type.String({
      description: "Address reserved for the system administrator; nobody can sign up with it",
      maxLength: 254,
    }),
  ),
  CDN_RESOURCES_URL: text("Put in front of /exercises/… image paths; empty: paths as they are", ""),
});

const MAY_BE_EMPTY = new Set(["HOST"]);

export type Config = Static<typeof Settings>;

/**
 * What nobody else should see: taken from the file that `<name>_FILE` names as well, as containers
 * are given secrets.
 */
const SECRETS = [
  "DATABASE_URL",
  "DATABASE_DIRECT_URL",
  "DATABASE_REPLICA_URLS",
  "DATABASE_PASSWORD",
  "DATABASE_APP_PASSWORD",
  "JWT_PRIVATE_KEYS",
] as const;

/**
 * The settings in `env`, with defaults. An empty variable counts as unset, except HOST, which then
 * is no address. Reads the files that `<name>_FILE` names. Throws OperatorError that lists every
 * bad setting by name, never by value.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given: Record<string, unknown> = {};
  const secrets = readSecrets(env);
  for (const [name, schema] of Object.entries<TSchema>(Settings.properties)) {
    const raw = secrets.values.get(name) ?? env[name];
    if (raw !== undefined && (raw !== "" || MAY_BE_EMPTY.has(name)))
      given[name] = Value.Convert(schema, raw);
  }
  const config = Value.Default(Settings, given);
  const faults = new Map<string, string>(secrets.faults);
  for (const error of Value.Errors(Settings, config)) {
    const name = error.path.split("/")[1] ?? "";
    faults.set(name, describe(Settings.properties[name as keyof Config]));
  }
  for (const [name, fault] of unsafeInProduction(config as Config)) faults.set(name, fault);
  for (const [name, fault] of unsafeAddress(config as Config)) faults.set(name, fault);
  if (faults.size > 0) {
    const lines = [...faults].map(([name, fault]) => `  ${name}: ${fault}`);
    throw new OperatorError(`These settings are wrong:\n${lines.join("\n")}`);
  }
  return withPassword(config as Config);
}

function readSecrets(env: Record<string, string | undefined>) {
  const values = new Map<string, string>();
  const faults: [string, string][] = [];
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`];
    if (!file) continue;
    if (env[name]) faults.push([`${name}_FILE`, `must not be set beside ${name}`]);
    try {
      values.set(name, readFileSync(file, "utf8").trim());
    } catch (error) {
      faults.push([
        `${name}_FILE`,
        `must name a file that can be read: ${(error as { code?: string }).code}`,
      ]);
    }
  }
  return { values, faults };
}

/**
 * The URLs with DATABASE_PASSWORD in them; one that is no URL stays as it is, and is explained when
 * it is opened.
 */
function withPassword(config: Config): Config {
  const { DATABASE_PASSWORD: password } = config;
  if (password === undefined) return config;
  const complete = (url: string | undefined) => {
    if (url === undefined || !URL.canParse(url)) return url;
    const parsed = new URL(url);
    if (parsed.password === "") parsed.password = encodeURIComponent(password);
    return parsed.href;
  };
  const urls = {
    DATABASE_URL: complete(config.DATABASE_URL),
    DATABASE_DIRECT_URL: complete(config.DATABASE_DIRECT_URL),
    DATABASE_REPLICA_URLS: config.DATABASE_REPLICA_URLS.split(",")
      .map((url) => complete(url.trim()))
      .join(","),
  };
  return {
    ...config,
    ...Object.fromEntries(Object.entries(urls).filter(([, url]) => url !== undefined)),
  };
}

/**
 * The text of `.env.example`: every setting with its description, range and default, all commented
 * out.
 */
export function envExample(): string {
  const entries = Object.entries<TSchema>(Settings.properties).map(([name, schema]) => {
    const range = schema.minimum === undefined ? "" : ` (${schema.minimum} to ${schema.maximum})`;
    const file = (SECRETS as readonly string[]).includes(name)
      ? `; ${name}_FILE: a file that holds it`
      : "";
    return `# ${schema.description}${range}${file}.\n# ${name}=${schema.default ?? ""}\n`;
  });
  return `# Settings of IronTrack. Generated by \`./irontrack generate\`; edit src/config/config.ts.\n\n${entries.join("\n")}`;
}

function describe(schema: TSchema | undefined): string {
  if (!schema) return "is not a setting";
  if (schema.anyOf)
    return `must be one of ${schema.anyOf.map((option: { const: string }) => option.const).join(", ")}`;
  if (schema.type === "integer")
    return `must be a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === "boolean") return "must be true or false";
  return `must be text of at most ${schema.maxLength} characters`;
}

function unsafeInProduction(config: Config): [string, string][] {
  if (config.NODE_ENV !== "production") return [];
  const faults: [string, string][] = [];
  if (!config.COOKIE_SECURE) faults.push(["COOKIE_SECURE", "must be true in production"]);
  if (!config.JWT_PRIVATE_KEYS) faults.push(["JWT_PRIVATE_KEYS", "must be set in production"]);
  if (!config.DATABASE_URL) faults.push(["DATABASE_URL", "must be set in production"]);
  if (config.ALLOWED_ORIGINS.includes("http://"))
    faults.push(["ALLOWED_ORIGINS", "must be https origins in production"]);
  return faults;
}

/** What is wrong with listening where other machines reach us, if HOST says so. */
function unsafeAddress({ HOST, HOST_PUBLIC, COOKIE_SECURE }: Config): [string, string][] {
  if (typeof HOST !== "string" || HOST === "" || isLoopback(HOST)) return [];
  if (HOST_PUBLIC !== true)
    return [
      [
        "HOST",
        "must be a loopback address (127.0.0.1, ::1, localhost), unless HOST_PUBLIC is true",
      ],
    ];
  if (!COOKIE_SECURE) return [["COOKIE_SECURE", "must be true if HOST is not a loopback address"]];
  return [];
}
