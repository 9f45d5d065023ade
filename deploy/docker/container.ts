import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "./compose.rules.ts";
import type { Stage } from "./dockerfile.ts";
import { mount } from "./mounts.ts";

/** Creates the file system of a stage FROM scratch from the files of another stage. */
export function layOut(stage: Stage, built: string, root: string): void {
  mkdirSync(root);
  for (const { keyword, text } of stage.instructions.filter(
    (instruction) => instruction.keyword === "COPY",
  )) {
    console.log(`${stage.name}: ${keyword} ${text}`);
    const owner = /--chown=(\S+)/.exec(text)?.[1];
    const [from, to] = text
      .split(/\s+/)
      .filter((word) => word !== "" && !word.startsWith("--")) as [string, string];
    cpSync(join(built, from), join(root, to), { recursive: true });
    if (owner) spawnSync("chown", ["-R", owner, join(root, to)]);
  }
}

export type Container = {
  /** Runs the executable with these arguments until it exits. */
  run(args: string[]): { status: number | null; output: string };
  start(args: string[]): ChildProcess;
};

/**
 * Sets a service of compose.yaml up as an engine would: its user without capabilities and network, a
 * read-only root file system, tmpfs mounts without execution, its volumes (`volumes` by name) and
 * secrets.
 */
export function asContainer(
  stage: Stage,
  service: Service,
  { root, volumes, secrets }: { root: string; volumes: Record<string, string>; secrets: string },
): Container {
  const at = (path: string) => {
    mkdirSync(join(root, path), { recursive: true });
    return join(root, path);
  };
  for (const path of ["dev", "proc", "run/secrets"]) at(path);
  const bound = (service.volumes ?? []).map((volume) => volume.split(":") as [string, string]);
  for (const [, path] of bound) at(path);
  for (const name of service.secrets ?? []) writeFileSync(join(root, "run/secrets", name), "");
  mount(["--bind", root, root]);
  mount(["-o", "remount,bind,ro", root]);
  mount(["--rbind", "/dev", join(root, "dev")]);
  mount(["-t", "proc", "proc", join(root, "proc")]);
  for (const entry of service.tmpfs ?? []) {
    const [path, options] = entry.split(":") as [string, string];
    mount(["-t", "tmpfs", "-o", `noexec,nosuid,nodev,${options}`, "tmpfs", join(root, path)]);
  }
  for (const [name, path] of bound) {
    // In a tmpfs, the mount point of a volume has to be created again.
    mount(["--bind", volumes[name] as string, at(path)]);
  }
  for (const name of service.secrets ?? []) {
    mount(["--bind", join(secrets, name), join(root, "run/secrets", name)]);
  }
  // PATH is for the wrapping programs; the executable does not use it.
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    ...environmentOf(stage),
    ...interpolated(service.environment ?? {}),
  };
  const [entry] = JSON.parse(
    stage.instructions.find(({ keyword }) => keyword === "ENTRYPOINT")?.text ?? "[]",
  ) as string[];
  const command = (args: string[]) => [
    ...[
      "--net",
      "--ipc",
      "setpriv",
      "--no-new-privs",
      "chroot",
      `--userspec=${service.user}`,
      root,
      entry as string,
    ],
    ...args,
  ];
  return {
    run: (args) => {
      const result = spawnSync("unshare", command(args), { env, cwd: "/", encoding: "utf8" });
      return { status: result.status, output: result.stdout + result.stderr };
    },
    start: (args) =>
      spawn("unshare", command(args), { env, cwd: "/", stdio: ["ignore", "inherit", "inherit"] }),
  };
}

function environmentOf(stage: Stage): Record<string, string> {
  const pairs = stage.instructions
    .filter(({ keyword }) => keyword === "ENV")
    .flatMap(({ words }) => words);
  return Object.fromEntries(
    pairs.map((pair) => [
      pair.split("=")[0],
      pair.slice(pair.indexOf("=") + 1).replaceAll('"', ""),
    ]),
  );
}

/** Replaces `${NAME:-default}` by the default. */
const interpolated = (environment: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1"),
    ]),
  );
