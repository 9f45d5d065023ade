import { closeSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isExecutable } from "../shipped-files.ts";

/** The process that ends what this one started, should this one end first (`watcher.ts`). */
type Watcher = { input: number; done: number };

/** What the watcher knows: sent again to its successor, should somebody kill it. */
const lines = new Set<string>();
let watcher: Watcher | undefined;
let isEnding = false;
/** How long an exit waits for everything to have ended; the watcher goes on after that. */
const EXIT_TIMEOUT_MS = 30_000;

/**
 * The descriptor of the watcher's pipe; the watcher is started when it is first needed. Undefined in the executable, which
 * starts nothing but its workers: they notice the end of their supervisor themselves, and systemd or the container ends
 * what hangs.
 */
export function watcherInput(): number | undefined {
  if (isExecutable) return undefined;
  watcher ??= startWatcher();
  return watcher.input;
}

/** Tells the watcher something, and remembers it while it holds. */
export function tell(line: string): void {
  lines.add(line);
  write(line);
}

/** Remembers what a program has announced to the watcher itself. */
export function hasBeenTold(line: string): void {
  lines.add(line);
}

/** Tells the watcher that `line` no longer holds. */
export function takeBack(line: string, correction?: string): void {
  lines.delete(line);
  if (correction !== undefined) write(correction);
}

function write(line: string) {
  const input = watcherInput();
  if (input === undefined) return;
  try {
    writeSync(input, `${line}\n`);
  } catch {
    // It was killed: its successor gets the whole list.
  }
}

function startWatcher(): Watcher {
  const child = Bun.spawn([process.execPath, "--no-env-file", join(import.meta.dir, "watcher.ts")], {
    cwd: "/",
    env: {},
    // Its own session: what interrupts us leaves it alone.
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    onExit: () => {
      if (isEnding) return;
      watcher = startWatcher();
      for (const line of lines) write(line);
    },
  } as Bun.SpawnOptions.OptionsObject<"ignore", "ignore", "ignore">);
  child.unref();
  const [input, done] = child.stdio.slice(3) as unknown as [number, number];
  return { input, done };
}

/** However this process ends by itself, what it started has ended before it. */
process.on("exit", () => {
  if (watcher === undefined || lines.size === 0) return;
  isEnding = true;
  closeSync(watcher.input);
  for (const deadline = performance.now() + EXIT_TIMEOUT_MS; performance.now() < deadline; Bun.sleepSync(5))
    if (hasClosed(watcher.done)) return;
});

function hasClosed(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) === 0;
  } catch (error) {
    return (error as { code?: string }).code !== "EAGAIN";
  }
}
