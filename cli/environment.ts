import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

type Environment = Record<string, string | undefined>;

/**
 * Returns a function that reads `.env` again and returns the environment as if this process started
 * now. Bun read the file at the start; variables that did not come from it keep their values.
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
