import { write, writeSync } from "node:fs";

export type LogStream = {
  write(text: string): void;
  /**
   * Resolves when the buffer is written, when a write has failed, and after FLUSH_TIMEOUT_MS in any
   * case.
   */
  flush(): Promise<void>;
  /**
   * For the exit of the process: writes the buffer synchronously, unless a write is still under
   * way.
   */
  flushNow(): void;
};

const BYTES_PER_WRITE = 4096;
const FLUSH_INTERVAL_MS = 250;
const FLUSH_TIMEOUT_MS = 1000;
const RETRY_MS = 50;
/** The size of the buffer; lines beyond it are lost. */
const MAX_WAITING_CHARACTERS = 4 * 2 ** 20;

/**
 * Writes lines to a file descriptor, in order, several at a time. A log that cannot be written (a
 * full disk, a limit on the file's size, a pipe that is closed or not read) neither stops nor
 * delays the process: lines are lost, and when writing works again, the first line says how many.
 */
export function openLogStream(fd: number, { bytesPerWrite = BYTES_PER_WRITE } = {}): LogStream {
  let waiting = "";
  let lostCount = 0;
  /** The number of lost lines that the write under way reports. */
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
      // After a failure the timer tries next: trying at once would loop without end.
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
      // A synchronous write would wait behind the one under way, perhaps for ever.
      if (isWriting || waiting === "") return;
      try {
        writeSync(fd, take());
      } catch {
        // There is nowhere left to report this.
      }
    },
  };
}

const lineAboutLost = (count: number) =>
  `{"level":40,"time":"${new Date().toISOString()}","lostLines":${count},"msg":"log lines were lost"}\n`;
