import { generateKey, type Keys, parseKeys } from "#src/access/keys.ts";
import { type Config, readConfig } from "#src/config/config.ts";

/** Hashing passwords is cheap in tests. */
export const TEST_SETTINGS = {
  NODE_ENV: "test",
  LOG_LEVEL: "silent",
  PASSWORD_MEMORY_KIB: "19456",
  PASSWORD_PASSES: "2",
};

/** The configuration of the application in tests, with `settings` added. */
export const testConfig = (settings: Record<string, string> = {}): Config =>
  readConfig({ ...TEST_SETTINGS, ...settings });

let keyJson: Promise<string> | undefined;
/** One key pair for all tests of a process. */
export const testKeys = async (): Promise<Keys> => parseKeys(await testKeyJson(), "test");

/** `testKeys` as the setting JWT_PRIVATE_KEYS. */
export const testKeyJson = (): Promise<string> => {
  keyJson ??= generateKey().then((key) => JSON.stringify([key]));
  return keyJson;
};
