import { type TSchema, Type } from "@sinclair/typebox";

const url = (description: string) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength: 2048 }));
const integer = (description: string, minimum: number, maximum: number, defaultValue: number) =>
  Type.Integer({ description, minimum, maximum, default: defaultValue });
const text = (description: string, defaultValue: string) =>
  Type.String({ description, maxLength: 1024, default: defaultValue });
const flag = (description: string, defaultValue: boolean) =>
  Type.Boolean({ description, default: defaultValue });

/** All settings, in the order of `.env.example`. Names contain units. */
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
    "The same database without a pooler, for migrations and LISTEN; unset: DATABASE_URL",
  ),
  DATABASE_REPLICA_URLS: text(
    "Streaming replicas for reads that may lag, separated by commas; the same for every process; empty: all reads on the primary",
    "",
  ),
  DATABASE_PASSWORD: Type.Optional(
    Type.String({
      description: "Password for these URLs if they contain none",
      minLength: 1,
      maxLength: 1024,
    }),
  ),
  DATABASE_APP_ROLE: Type.Optional(
    Type.String({
      description:
        "Role that prepare creates for the workers: access to rows only, with time limits; unset: none",
      pattern: "^[a-z_][a-z0-9_]*$",
      maxLength: 63,
    }),
  ),
  DATABASE_APP_PASSWORD: Type.Optional(
    Type.String({ description: "Password of DATABASE_APP_ROLE", minLength: 1, maxLength: 1024 }),
  ),
  DATABASE_POOL_SIZE: integer(
    "Connections per process to the primary, and to each replica",
    1,
    100,
    8,
  ),
  DATABASE_PREPARE: flag("Use prepared statements; false behind a PgBouncer older than 1.21", true),
  DATABASE_WAITING: Type.Optional(
    Type.Integer({
      description:
        "Statements and transactions that may wait for a connection; beyond it 503; unset: 8 per connection",
      minimum: 0,
      maximum: 100_000,
    }),
  ),
  DATABASE_WAIT_MS: integer("Maximum wait for a connection; beyond it 503", 10, 60_000, 1000),
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
  CATALOG_MEMORY_MIB: integer("Maximum size of each process's catalog cache", 0, 4096, 64),
  PG_BIN: url(
    "Directory of pg_dump and pg_restore, for backups; unset: the PATH, then Debian's directories",
  ),
  HOST: text(
    "Loopback address to listen on beside the Unix socket; empty: the Unix socket only",
    "127.0.0.1",
  ),
  HOST_PUBLIC: flag("Allow a HOST that other machines can reach; requires COOKIE_SECURE", false),
  PORT: integer("TCP port to listen on", 1, 65535, 8000),
  SOCKET_PATH: url("Unix socket to listen on; unset: run/irontrack.sock under IRONTRACK_HOME"),
  SOCKET_GROUP: Type.Optional(
    Type.String({
      description:
        "Group that may use the Unix socket, by name or number, usually the proxy's; unset: this process's group",
      pattern: "^[A-Za-z0-9_.-]+$",
      maxLength: 64,
    }),
  ),
  OPERATOR_SOCKET: flag(
    "Also serve /metrics and /health on a socket beside SOCKET_PATH that ends with .operator.sock",
    true,
  ),
  DRAIN_LINGER_S: Type.Optional(
    Type.Integer({
      description:
        "How long a stopping process answers on open connections and asks clients to close them, before it closes them itself; longer than the proxy's keep-alive; unset: 6 with --workers, else 0",
      minimum: 0,
      maximum: 120,
    }),
  ),
  DRAIN_TIMEOUT_S: integer("Maximum wait for running requests when stopping", 0, 300, 10),
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
  ACCESS_TOKEN_TTL_S: integer("Lifetime of an access token", 60, 3600, 1800),
  REFRESH_TOKEN_TTL_S: integer("Lifetime of an unused refresh token", 3600, 2_592_000, 604_800),
  LOGIN_MAX_AGE_S: integer(
    "A login ends this long after its sign-in, even if it is refreshed",
    3600,
    31_536_000,
    2_592_000,
  ),
  COOKIE_SECURE: flag("Cookies only over TLS; false only without TLS, in development", false),
  PASSWORD_MEMORY_KIB: integer("Argon2id memory", 19_456, 1_048_576, 65_536),
  PASSWORD_PASSES: integer("Argon2id passes", 2, 20, 3),
  PASSWORD_WORKERS: Type.Optional(
    Type.Integer({
      description: "Concurrent password hashes; unset: half the cores",
      minimum: 1,
      maximum: 64,
    }),
  ),
  PASSWORD_QUEUE: integer("Password hashes that may wait; beyond it 503", 0, 10_000, 100),
  SIGN_IN_FREE_FAILURES: integer(
    "Failed sign-ins to an account before the next must wait",
    1,
    100,
    5,
  ),
  SIGN_IN_DELAY_S: integer(
    "The first wait; each further failure doubles it, up to a quarter of an hour",
    1,
    900,
    30,
  ),
  SIGN_IN_FAILURES_PER_ADDRESS: integer("Failed sign-ins per address and hour", 1, 100_000, 100),
  SIGN_UPS_PER_ADDRESS: integer("Accounts that an address may create per hour", 1, 100_000, 10),
  REFRESHES_PER_LOGIN: integer("Refreshes of one login per quarter of an hour", 2, 100_000, 60),
  ALLOWED_ORIGINS: text(
    "Other origins whose pages may call the API with cookies, separated by commas; https in production",
    "",
  ),
  ADMIN_EMAIL: Type.Optional(
    Type.String({
      description: "Address reserved for the system administrator; nobody can sign up with it",
      maxLength: 254,
    }),
  ),
  CDN_RESOURCES_URL: text("Prefix of /exercises/… image paths; empty: paths without a host", ""),
});

/** Secret settings, which may also be read from the file that `<name>_FILE` names. */
export const SECRETS = [
  "DATABASE_URL",
  "DATABASE_DIRECT_URL",
  "DATABASE_REPLICA_URLS",
  "DATABASE_PASSWORD",
  "DATABASE_APP_PASSWORD",
  "JWT_PRIVATE_KEYS",
] as const;

/** The text of `.env.example`: all settings, commented out, with description, range and default. */
export function envExample(): string {
  const entries = Object.entries<TSchema>(Settings.properties).map(([name, schema]) => {
    const range = schema.minimum === undefined ? "" : ` (${schema.minimum} to ${schema.maximum})`;
    const file = (SECRETS as readonly string[]).includes(name)
      ? `; ${name}_FILE: a file that holds it`
      : "";
    return `# ${schema.description}${range}${file}.\n# ${name}=${schema.default ?? ""}\n`;
  });
  return `# Settings of IronTrack. Generated by \`./irontrack generate\`; edit src/config/settings.ts.\n\n${entries.join("\n")}`;
}
