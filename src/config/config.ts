import { readFileSync } from "node:fs";
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OperatorError } from "#lib/errors.ts";
import { isLoopback } from "#lib/loopback.ts";
import { SECRETS, Settings } from "./settings.ts";

export type Config = Static<typeof Settings>;

/** Settings for which an empty variable is a value, and not the same as unset. */
const MAY_BE_EMPTY = new Set(["HOST"]);

/**
 * Reads the settings in `env`, and the files that `<name>_FILE` names, and adds defaults. An empty
 * variable counts as unset, except HOST: empty, it means no TCP address. Throws OperatorError that lists
 * every invalid setting by name, never by value.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const values: Record<string, unknown> = {};
  const secrets = readSecrets(env);
  for (const [name, schema] of Object.entries<TSchema>(Settings.properties)) {
    const raw = secrets.values.get(name) ?? env[name];
    if (raw !== undefined && (raw !== "" || MAY_BE_EMPTY.has(name)))
      values[name] = Value.Convert(schema, raw);
  }
  const config = Value.Default(Settings, values);
  const faults = new Map<string, string>(secrets.faults);
  for (const error of Value.Errors(Settings, config)) {
    const name = error.path.split("/")[1] ?? "";
    faults.set(name, describe(Settings.properties[name as keyof Config]));
  }
  const unsafe = [...unsafeInProduction(config as Config), ...unsafeAddress(config as Config)];
  for (const [name, fault] of unsafe) faults.set(name, fault);
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
      const { code } = error as { code?: string };
      faults.push([`${name}_FILE`, `must name a readable file: ${code}`]);
    }
  }
  return { values, faults };
}

/** Adds DATABASE_PASSWORD to the URLs. An invalid URL stays as it is, and fails when it is used. */
function withPassword(config: Config): Config {
  const { DATABASE_PASSWORD: password } = config;
  if (password === undefined) return config;
  const addPassword = (url: string | undefined) => {
    if (url === undefined || !URL.canParse(url)) return url;
    const parsed = new URL(url);
    if (parsed.password === "") parsed.password = encodeURIComponent(password);
    return parsed.href;
  };
  const urls = {
    DATABASE_URL: addPassword(config.DATABASE_URL),
    DATABASE_DIRECT_URL: addPassword(config.DATABASE_DIRECT_URL),
    DATABASE_REPLICA_URLS: config.DATABASE_REPLICA_URLS.split(",")
      .map((url) => addPassword(url.trim()))
      .join(","),
  };
  return {
    ...config,
    ...Object.fromEntries(Object.entries(urls).filter(([, url]) => url !== undefined)),
  };
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

/** The faults of a HOST that other machines can reach. */
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
