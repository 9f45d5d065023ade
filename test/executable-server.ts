import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable, sourcesOnly } from "./program.ts";

export type ExecutableServer = {
  /** Sends a request over the Unix socket, as the proxy would for a client at `address`. */
  fetch(request: Request): Promise<Response>;
  stop(): Promise<void>;
};

type ServerOptions = {
  databaseUrl: string;
  settings: Record<string, string>;
  address: string | undefined;
};

/** Starts the executable under test on a database, and returns when it is ready. */
export async function startExecutable({
  databaseUrl,
  settings,
  address,
}: ServerOptions): Promise<ExecutableServer> {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-built-"));
  const unix = join(dir, "a.sock");
  const child = spawn(executable() as string, ["serve"], {
    cwd: dir,
    // The IPC channel closes when the tests end, which ends the executable too.
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
    if (child.exitCode !== null) throw new Error("The executable exited before it was ready");
    const answer = await fetch("http://localhost/health/ready", { unix }).catch(() => undefined);
    if (answer?.ok) break;
    await Bun.sleep(5);
  }
  return {
    fetch: async (request) => {
      if (new URL(request.url).pathname.startsWith("//"))
        throw sourcesOnly("requests a path that a client would normalise");
      if (request.headers.has("content-length"))
        throw sourcesOnly("sends a length that a client would not");
      // By default, fetch would accept compressed responses.
      if (!request.headers.has("accept-encoding"))
        request.headers.set("accept-encoding", "identity");
      if (address !== undefined) request.headers.set("x-real-ip", address);
      const sentId = request.headers.get("x-request-id");
      const requestId = sentId !== null && REQUEST_ID.test(sentId) ? sentId : crypto.randomUUID();
      request.headers.set("x-request-id", requestId);
      return withRequestId(
        await fetch(request, { unix, redirect: "manual", decompress: false }),
        requestId,
      );
    },
    stop,
  };
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** Adds the request id unless there is one, like the proxy (`angie/snippets/headers.conf`). */
function withRequestId(answer: Response, requestId: string): Response {
  if (answer.headers.has("x-request-id")) return answer;
  const headers = new Headers(answer.headers);
  headers.set("x-request-id", requestId);
  return new Response(answer.body, { status: answer.status, headers });
}
