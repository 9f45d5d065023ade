import { closeSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isExecutable } from "../shipped-files.ts";

/** The process that cleans up after this one (`watcher.ts`). */
type Watcher = { input: number; done: number };

/** The lines sent to the watcher. If it is killed, they are sent to its replacement. */
const lines = new Set<string>();
let watcher: Watcher | undefined;
let isEnding = false;
/** How long an exit waits for the cleanup; the watcher continues after that. */
const EXIT_TIMEOUT_MS = 30_000;

/**
 * The descriptor of the watcher's pipe; the watcher is started when it is first needed. Undefined
 * in the executable, which starts only its workers: they exit when their supervisor does, and
 * systemd or the container kills one that hangs.
 */
export function watcherInput(): number | undefined {
  if (isExecutable) return undefined;
  watcher ??= startWatcher();
  return watcher.input;
}

/** Sends a line to the watcher, and records it until `retract`. */
export function send(line: string): void {
  lines.add(line);
  write(line);
}

/** Records a line that a program has sent to the watcher itself. */
export function recordLine(line: string): void {
  lines.add(line);
}

/** Removes a recorded line, and sends the watcher a correction if given. */
export function retract(line: string, correction?: string): void {
  lines.delete(line);
  if (correction !== undefined) write(correction);
}

function write(line: string) {
  const input = watcherInput();
  if (input === undefined) return;
  try {
    writeSync(input, `${line}\n`);
  } catch {
    // The watcher was killed. Its replacement gets all lines.
  }
}

function startWatcher(): Watcher {
  const child = Bun.spawn(
    [process.execPath, "--no-env-file", join(import.meta.dir, "watcher.ts")],
    {
      cwd: "/",
      env: {},
      // In its own session, so that an interrupt of this process does not reach it.
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      onExit: () => {
        if (isEnding) return;
        watcher = startWatcher();
        for (const line of lines) write(line);
      },
    } as Bun.SpawnOptions.OptionsObject<"ignore", "ignore", "ignore">,
  );
  child.unref();
  const [input, done] = child.stdio.slice(3) as unknown as [number, number];
  return { input, done };
}

/** A normal exit waits until everything that this process started has ended. */
process.on("exit", () => {
  if (watcher === undefined || lines.size === 0) return;
  isEnding = true;
  closeSync(watcher.input);
  for (
    const deadline = performance.now() + EXIT_TIMEOUT_MS;
    performance.now() < deadline;
    Bun.sleepSync(5)
  )
    if (hasClosed(watcher.done)) return;
});

function hasClosed(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) === 0;
  } catch (error) {
    return (error as { code?: string }).code !== "EAGAIN";
  }
}
