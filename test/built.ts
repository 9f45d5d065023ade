import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { TEMPLATE_DATABASE } from "./cluster.ts";
import { executable, sourcesOnly } from "./program.ts";
import { testDatabaseUrl, testPool } from "./transaction.ts";

export type Built = {
  /**
   * Sends a request to the executable over its Unix socket, as its proxy would for a client at
   * `address`.
   */
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
};

type BuiltOptions = {
  databaseUrl: string;
  settings: Record<string, string>;
  address: string | undefined;
};

/** The executable under test, serving on a database and ready. */
export async function startBuilt({ databaseUrl, settings, address }: BuiltOptions): Promise<Built> {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-built-"));
  const unix = join(dir, "a.sock");
  const child = spawn(executable() as string, ["serve"], {
    cwd: dir,
    // By the channel it learns that the tests are gone.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {
      ...settings,
      DATABASE_URL: databaseUrl,
      IRONTRACK_HOME: dir,
      SOCKET_PATH: unix,
      HOST: "",
    },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  for (;;) {
    if (child.exitCode !== null) throw new Error("The executable ended before it was ready");
    const answer = await fetch("http://localhost/health/ready", { unix }).catch(() => undefined);
    if (answer?.ok) break;
    await Bun.sleep(5);
  }
  return {
    fetch: async (request) => {
      if (new URL(request.url).pathname.startsWith("//"))
        throw sourcesOnly("asks for a path that a client tidies up");
      if (request.headers.has("content-length"))
        throw sourcesOnly("says a length that a client would not");
      // A client of its own accord says that it takes compressed answers.
      if (!request.headers.has("accept-encoding"))
        request.headers.set("accept-encoding", "identity");
      if (address !== undefined) request.headers.set("x-real-ip", address);
      const given = request.headers.get("x-request-id");
      const requestId = given !== null && REQUEST_ID.test(given) ? given : crypto.randomUUID();
      request.headers.set("x-request-id", requestId);
      return named(
        await fetch(request, { unix, redirect: "manual", decompress: false }),
        requestId,
      );
    },
    stop,
  };
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/**
 * The answer with the id that its proxy has given the request, unless it has one
 * (`angie/snippets/headers.conf`).
 */
function named(answer: Response, requestId: string): Response {
  if (answer.headers.has("x-request-id")) return answer;
  const headers = new Headers(answer.headers);
  headers.set("x-request-id", requestId);
  return new Response(answer.body, { status: answer.status, headers });
}

/** A copy of the run's database, catalog and all, in which a test may commit. */
export async function copyDatabase(): Promise<{ url: string; pool: Pool; drop(): Promise<void> }> {
  const { sql } = testPool();
  const name = `built_${crypto.randomUUID().replaceAll("-", "")}`;
  await sql`create database ${sql(name)} template ${sql(TEMPLATE_DATABASE)}`;
  const url = urlOf(name);
  const pool = openPool(url, { size: 4, prepare: true });
  return {
    url,
    pool,
    drop: async () => {
      await pool.close();
      await sql`drop database ${sql(name)} with (force)`;
    },
  };
}

/** Of a database of the run's PostgreSQL. */
export function urlOf(database: string): string {
  const url = new URL(testDatabaseUrl());
  url.pathname = `/${database}`;
  return url.href;
}
