import { describe } from "bun:test";

/**
 * `describe` for tests that need other programs. If `findPrograms` throws, the tests are skipped
 * with a warning; in CI they fail.
 */
export function describeWithPrograms(
  name: string,
  findPrograms: () => void,
  tests: () => void,
): void {
  let isMissing = false;
  try {
    findPrograms();
  } catch (error) {
    if (process.env.CI) throw error;
    isMissing = true;
    console.warn(`SKIPPED: ${name}. ${(error as Error).message}`);
  }
  describe.skipIf(isMissing)(name, tests);
}
