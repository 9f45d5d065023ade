import { write, writeSync } from "node:fs";

export type LogStream = {
  write(text: string): void;
  /** Resolves when what was written so far is out or lost, and in any case after FLUSH_TIMEOUT_MS. */
  flush(): Promise<void>;
  /** For the exit of the process: writes what is left, unless an earlier write is still under way. */
  flushNow(): void;
};

const BYTES_PER_WRITE = 4096;
const FLUSH_INTERVAL_MS = 250;
const FLUSH_TIMEOUT_MS = 1000;
const RETRY_MS = 50;
/** What waits for a reader that does not keep up; more is lost. */
const MAX_WAITING_CHARACTERS = 4 * 2 ** 20;

/**
 * Lines on a file descriptor, in order, several to a write. A log that cannot be written (a full disk, a limit of its size, a
 * pipe without a reader, or with one that does not read) neither stops nor delays this process: lines are lost, and the
 * first that gets through again comes after one that says how many.
 */
export function openLogStream(fd: number, { bytesPerWrite = BYTES_PER_WRITE } = {}): LogStream {
  let waiting = "";
  let lostCount = 0;
  /** What the write under way says of lines that were lost before it. */
  let reportedCount = 0;
  let isWriting = false;
  let whenIdle = Promise.withResolvers<void>();

  const lose = (text: string) => {
    lostCount += text.split("\n").length - 1;
  };
  const take = (): Buffer => {
    const text = (lostCount === 0 ? "" : lineAboutLost(lostCount)) + waiting;
    reportedCount = lostCount;
    lostCount = 0;
    waiting = "";
    return Buffer.from(text);
  };
  const begin = () => {
    if (isWriting || waiting === "") return;
    isWriting = true;
    put(take(), 0);
  };
  const put = (bytes: Buffer, from: number) => {
    write(fd, bytes, from, bytes.length - from, null, (error, writtenCount) => {
      if (error?.code === "EAGAIN") return void setTimeout(put, RETRY_MS, bytes, from).unref();
      if (!error && from + writtenCount < bytes.length) return put(bytes, from + writtenCount);
      if (error) fail(bytes, from);
      isWriting = false;
      // After a failure the next attempt is the timer's: at once would be without an end.
      if (!error && waiting !== "") return begin();
      whenIdle.resolve();
      whenIdle = Promise.withResolvers();
    });
  };
  const fail = (bytes: Buffer, from: number) => {
    lose(bytes.subarray(from).toString());
    if (reportedCount > 0 && from === 0) lostCount += reportedCount - 1;
  };
  setInterval(begin, FLUSH_INTERVAL_MS).unref();
  return {
    write: (text) => {
      if (waiting.length + text.length > MAX_WAITING_CHARACTERS) return lose(text);
      waiting += text;
      if (waiting.length >= bytesPerWrite) begin();
    },
    flush: async () => {
      begin();
      if (isWriting) await Promise.race([whenIdle.promise, Bun.sleep(FLUSH_TIMEOUT_MS)]);
    },
    flushNow: () => {
      // While a write is under way, another would wait behind it, perhaps for ever.
      if (isWriting || waiting === "") return;
      try {
        writeSync(fd, take());
      } catch {
        // There is no place left to say so.
      }
    },
  };
}

const lineAboutLost = (count: number) =>
  `{"level":40,"time":"${new Date().toISOString()}","lostLines":${count},"msg":"log lines were lost"}\n`;
