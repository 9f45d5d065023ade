import { afterAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { makeUser, signInFor } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { createApp } from "../app/app.ts";
import { listenAt } from "../app/server.ts";
import type { RoleSlug } from "../permissions/actor.ts";

const CASES_EACH = 25;
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** These end the login that all others are called with, and are called last. */
const ENDING = ["AccountLogout", "AccountUpdatePwd", "RevokeOtherLogins"];

type Exceptions = { operations: Record<string, string>; checks: Record<string, string> };
/** What is left out, each with its reason. */
const exceptions = JSON.parse(
  readFileSync(join(import.meta.dir, "../../.ci/schemathesis-exceptions.json"), "utf8"),
) as Exceptions;

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
const [program] = globSync(join(cache, "irontrack/schemathesis-*/bin/schemathesis"));
if (!program) {
  const missing = "Schemathesis is not installed: run .ci/schemathesis";
  if (process.env.CI) throw new Error(missing);
  console.warn(`SKIPPED: Schemathesis calls every operation. ${missing}`);
}

const dir = mkdtempSync(join(tmpdir(), "irontrack-schemathesis-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/**
 * Calls operations of the document at `url` and gives what Schemathesis printed, and whether it
 * found nothing.
 */
function callAll(
  url: string,
  cookies: string,
  selection: string[],
): Promise<{ isClean: boolean; output: string }> {
  const flags = [
    "--phases",
    "coverage,fuzzing",
    "-n",
    String(CASES_EACH),
    "-c",
    CHECKS.join(","),
    "--continue-on-failure",
  ];
  const quiet = ["--no-color", "--warnings", "off", "--generation-database", "none"];
  const child = spawn(
    program as string,
    ["run", url, ...flags, ...quiet, ...selection, "-H", `Cookie: ${cookies}`],
    {
      // It leaves files where it runs.
      cwd: dir,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) =>
    child.once("close", (code) => resolve({ isClean: code === 0, output })),
  );
}

test("what Schemathesis does not check or call is listed with its reason", () => {
  for (const reason of [
    ...Object.values(exceptions.operations),
    ...Object.values(exceptions.checks),
  ]) {
    expect(reason.length).toBeGreaterThan(20);
  }
  expect(CHECKS.filter((check) => check in exceptions.checks)).toEqual([]);
});

describe.skipIf(!program)("Schemathesis", () => {
  test.each<[who: string, roleSlug: RoleSlug]>([
    ["an ordinary person", "application-access"],
    ["a trainer", "fitness-trainer"],
    ["a superuser", "superuser"],
  ])(
    "calls every operation as %s, and every answer is one that the document allows",
    async (who, roleSlug) => {
      const database = await makeOwnDatabase();
      try {
        await seedCatalog(database.pool, readCatalog());
        const api = await apiOn(database.pool);
        const user = await makeUser(api, { roleSlug });
        const server = listenAt("127.0.0.1", createApp(api.deps), {
          hostname: "127.0.0.1",
          port: 0,
        });
        try {
          const leftOut = [...ENDING, ...Object.keys(exceptions.operations)];
          for (const selection of [
            leftOut.flatMap((id) => ["--exclude-operation-id", id]),
            ENDING.flatMap((id) => ["--include-operation-id", id]),
          ]) {
            const { access, refresh } = await signInFor(api, user.email);
            const { isClean, output } = await callAll(
              `${server.url.origin}/openapi.json`,
              `${access}; ${refresh}`,
              selection,
            );
            if (!isClean) throw new Error(output);
            console.log(`${who}: ${/Test cases:\s+(.*)/.exec(output)?.[1]}`);
          }
        } finally {
          await server.stop(true);
        }
      } finally {
        await database.drop();
      }
    },
  );
});
