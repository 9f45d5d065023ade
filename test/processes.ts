import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { generateKey, type Keys, parseKeys } from "#src/access/keys.ts";
import { program } from "./program.ts";
import { databaseSettings } from "./transaction.ts";

export type ServingProcess = {
  child: ChildProcess;
  ask(
    method: string,
    path: string,
    requestOptions: { as: string; body?: unknown },
  ): Promise<Response>;
};

/** Processes of the application that share a database, a directory of sockets, and a key. */
export type Processes = {
  keys: Keys;
  start(name: string, settings?: Record<string, string>): Promise<ServingProcess>;
  /** Kills all of them. */
  stop(): void;
};

export async function openProcesses(dir: string, databaseUrl: string): Promise<Processes> {
  const key = await generateKey();
  const [command, ...args] = program();
  const children: ChildProcess[] = [];
  const start = async (name: string, settings: Record<string, string> = {}) => {
    const unix = join(dir, `${name}.sock`);
    const child = spawn(command, [...args, "serve"], {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        PATH: process.env.PATH ?? "",
        ...databaseSettings(databaseUrl),
        IRONTRACK_HOME: join(dir, name),
        SOCKET_PATH: unix,
        HOST: "",
        LOG_LEVEL: "error",
        JWT_PRIVATE_KEYS: JSON.stringify([key]),
        ...settings,
      },
    });
    children.push(child);
    for (let tries = 0; tries < 500; tries++) {
      const answer = await fetch("http://localhost/health/ready", { unix }).catch(() => undefined);
      if (answer?.ok) return { child, ask: clientOf(unix) };
      await Bun.sleep(20);
    }
    throw new Error(`${name} does not answer`);
  };
  return {
    keys: await parseKeys(JSON.stringify([key]), "test"),
    start,
    stop: () => {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

const clientOf =
  (unix: string): ServingProcess["ask"] =>
  (method, path, { as, body }) =>
    fetch(`http://localhost${path}`, {
      unix,
      method,
      headers: {
        cookie: as,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
