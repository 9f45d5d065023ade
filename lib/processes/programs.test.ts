import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isRunning } from "./process-identity.ts";
import { runProgram, startProgram } from "./programs.ts";

const ROOT = join(import.meta.dir, "../..");

/** Files that may start programs or make temporary directories differently, and why. */
const EXCEPTIONS: Record<string, string> = {
  "lib/processes/programs.ts": "implements startProgram",
  "lib/processes/watcher-client.ts": "starts the watcher",
  "bench/disk/block.ts":
    "a FUSE daemon, which outlives the command of a kept disk and is stopped by its state file",
  "deploy/docker/container.ts":
    "the rehearsal of the image, in its own namespaces, which end with it",
  "deploy/docker/rehearse.ts": "the same",
};

test("only startProgram starts programs, and only temporaryDirectory makes temporary directories", () => {
  const listed = spawnSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"],
    { cwd: ROOT },
  );
  const files = listed.stdout.toString().trim().split("\n");
  const others = files.filter(
    (file) =>
      !/\.test\.ts$|^test\//.test(file) &&
      !(file in EXCEPTIONS) &&
      /\b(spawn|execFile|exec|fork|mkdtemp|mkdtempSync)\(/.test(
        readFileSync(join(ROOT, file), "utf8").replaceAll(/\.exec\(/g, ""),
      ),
  );
  expect(files.length).toBeGreaterThan(300);
  expect(others).toEqual([]);
});

test("a program that ignores SIGTERM is killed with its whole process group", async () => {
  const script = "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.02; done";
  const program = startProgram(["sh", "-c", script], {
    stdio: ["ignore", "pipe", "ignore"],
    graceMs: 50,
  });
  const [line] = await new Promise<Buffer[]>((resolve) =>
    program.child.stdout?.once("data", (...data) => resolve(data)),
  );
  const grandchild = identify(Number(String(line)));
  expect(isRunning(grandchild)).toBe(true);
  await program.stop();
  expect(program.hasEnded()).toBe(true);
  for (let tries = 0; isRunning(grandchild) && tries < 100; tries++) await Bun.sleep(10);
  expect(isRunning(grandchild)).toBe(false);
});

test("a program that cannot be started ends with the reason", async () => {
  expect(await startProgram(["/nowhere/program"]).ended).toMatchObject({ code: 127 });
  const { error } = await startProgram(["true"], { cwd: "/nowhere" }).ended;
  expect(error).toBeInstanceOf(Error);
  const { code, stderr } = await runProgram(["sh", "-c", "echo why >&2; exit 3"]);
  expect({ code, stderr }).toEqual({ code: 3, stderr: "why\n" });
});

test("programs of a killed process end, even if its watcher was killed before", async () => {
  const script = `
    const { startProgram } = await import(${JSON.stringify(join(import.meta.dir, "programs.ts"))});
    process.on("SIGUSR1", () => console.log("here"));
    console.log(startProgram(["sleep", "1000"]).pid);
    await Bun.sleep(100_000);`;
  const starter = startProgram([process.execPath, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const nextLine = () =>
    new Promise<string>((resolve) =>
      starter.child.stdout?.once("data", (data) => resolve(`${data}`)),
    );
  const program = identify(Number(await nextLine()));
  const watcher = () =>
    childrenOf(starter.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`).includes("watcher"));
  const first = watcher() as number;
  process.kill(first, "SIGKILL");
  while (watcher() === undefined || watcher() === first) await Bun.sleep(10);
  // Once it prints a line, it has replaced the watcher.
  const printed = nextLine();
  process.kill(starter.pid, "SIGUSR1");
  await printed;
  process.kill(starter.pid, "SIGKILL");
  for (let tries = 0; isRunning(program) && tries < 2000; tries++) await Bun.sleep(10);
  expect(isRunning(program)).toBe(false);
});

test("a command that was scheduled with runAtEnd runs at the end, unless it was cancelled", async () => {
  const directory = mkdtempSync(join(tmpdir(), "run-at-end-"));
  const [cancelled, scheduled] = [join(directory, "cancelled"), join(directory, "scheduled")];
  const script = `
    const { runAtEnd } = await import(${JSON.stringify(join(import.meta.dir, "temporary.ts"))});
    runAtEnd(["touch", ${JSON.stringify(cancelled)}])();
    runAtEnd(["touch", ${JSON.stringify(scheduled)}]);`;
  const { code, stderr } = await runProgram([process.execPath, "-e", script]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect([existsSync(cancelled), existsSync(scheduled)]).toEqual([false, true]);
  rmSync(directory, { recursive: true });
});

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
