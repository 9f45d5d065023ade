import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Stage } from "./dockerfile.ts";
import { mount } from "./mounts.ts";

const ROOT = join(import.meta.dir, "../..");

/** The variables for reaching a package registry: certificates and proxies. */
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /CERT|_CA_|proxy|^npm_config/i.test(name)),
);

/**
 * A root file system for build stages: the file system of this machine under an overlay that takes
 * the writes, with the Bun that runs this instead of the one of the base image.
 */
export function overlayRoot(dir: string): string {
  const [upper, work, root] = ["upper", "work", "root"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [upper, work, root]) mkdirSync(path);
  mount(["-t", "overlay", "overlay", "-o", `lowerdir=/,upperdir=${upper},workdir=${work}`, root]);
  mount(["--rbind", "/dev", join(root, "dev")]);
  mount(["-t", "proc", "proc", join(root, "proc")]);
  const bun = join(root, "usr/local/bin/bun");
  mkdirSync(dirname(bun), { recursive: true });
  copyFileSync(process.execPath, bun);
  chmodSync(bun, 0o755);
  return root;
}

/**
 * Executes the instructions of a stage in `root` and returns its working directory. Throws with the
 * output of a command that fails.
 */
export function buildStage(
  { name, instructions }: Stage,
  root: string,
  context: string,
  workDir = "/",
): string {
  let dir = workDir;
  const args: Record<string, string> = {};
  for (const { keyword, words, text } of instructions) {
    console.log(`${name}: ${keyword} ${text}`);
    if (keyword === "WORKDIR") {
      dir = resolve(dir, words[0] as string);
      mkdirSync(join(root, dir), { recursive: true });
    } else if (keyword === "COPY") {
      const target = words.at(-1) as string;
      for (const source of words.slice(0, -1))
        copy(join(context, source), join(root, resolve(dir, target)), target);
    } else if (keyword === "RUN") {
      run(root, dir, text, args);
    } else if (keyword === "ARG") {
      const [argument = "", value = ""] = text.split("=");
      args[argument] = value.replaceAll('"', "");
    } else throw new Error(`${name}: the rehearsal does not know ${keyword}`);
  }
  return dir;
}

/**
 * Copies as a builder does: the content of a directory into the target; a file into the target if
 * that ends in a slash, else under its name.
 */
function copy(source: string, to: string, asWritten: string) {
  const isInto = statSync(source).isFile() && asWritten.endsWith("/");
  cpSync(source, isInto ? join(to, basename(source)) : to, { recursive: true });
}

function run(root: string, dir: string, command: string, args: Record<string, string>) {
  const env = {
    ...network,
    ...args,
    PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
  };
  const result = spawnSync("chroot", [root, "/bin/sh", "-c", `cd ${dir} && ${command}`], {
    env,
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stdout}${result.stderr}`);
}

/** The build context: the files that Git lists and .dockerignore does not exclude. */
export function makeContext(dir: string): string {
  const context = join(dir, "context");
  const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const listed = spawnSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  for (const file of listed.stdout
    .split("\0")
    .filter((path) => path !== "" && isIncluded(path, lines))) {
    mkdirSync(dirname(join(context, file)), { recursive: true });
    copyFileSync(join(ROOT, file), join(context, file));
  }
  return context;
}

/** The last pattern that matches a file, or a directory above it, decides. */
function isIncluded(file: string, lines: string[]): boolean {
  const last = lines.findLast((line) => {
    const pattern = line.replace("!", "");
    return new Bun.Glob(pattern).match(file) || new Bun.Glob(`${pattern}/**`).match(file);
  });
  return last === undefined || last.startsWith("!");
}
