import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

type Environment = Record<string, string | undefined>;

/**
 * Looks into `.env` of the working directory, which Bun read when this process started, and returns
 * what gives the environment as it would be if it started now: variables that were given otherwise
 * stay as they are.
 */
export function watchEnvironment(given: Environment, file = ".env"): () => Environment {
  const atStart = readVariables(file);
  return () => {
    const others = Object.entries(given).filter(([name, value]) => atStart[name] !== value);
    return { ...readVariables(file), ...Object.fromEntries(others) };
  };
}

const readVariables = (file: string): Environment =>
  existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
