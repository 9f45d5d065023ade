import { write, writeSync } from "node:fs";

export type LogStream = {
  write(text: string): void;
  /**
   * Resolves when the buffer is written or a write has failed, at the latest after
   * FLUSH_TIMEOUT_MS.
   */
  flush(): Promise<void>;
  /** For process exit: writes the buffer synchronously, unless a write is in progress. */
  flushNow(): void;
};

const BYTES_PER_WRITE = 4096;
const FLUSH_INTERVAL_MS = 250;
const FLUSH_TIMEOUT_MS = 1000;
const RETRY_MS = 50;
/** The size of the buffer; lines beyond it are lost. */
const MAX_BUFFERED_CHARACTERS = 4 * 2 ** 20;

/**
 * Writes lines to a file descriptor, in order and buffered. A log that cannot be written (a full
 * disk, a file size limit, a pipe that is closed or not read) neither stops nor delays the process:
 * lines are lost, and once writing works again, the first line reports how many.
 */
export function openLogStream(fd: number, { bytesPerWrite = BYTES_PER_WRITE } = {}): LogStream {
  let buffer = "";
  let lostCount = 0;
  /** The number of lost lines that the current write reports. */
  let reportedCount = 0;
  let isWriting = false;
  let whenIdle = Promise.withResolvers<void>();

  const drop = (text: string) => {
    lostCount += text.split("\n").length - 1;
  };
  const takeBuffer = (): Buffer => {
    const text = (lostCount === 0 ? "" : lostLinesReport(lostCount)) + buffer;
    reportedCount = lostCount;
    lostCount = 0;
    buffer = "";
    return Buffer.from(text);
  };
  const startWrite = () => {
    if (isWriting || buffer === "") return;
    isWriting = true;
    writeFrom(takeBuffer(), 0);
  };
  const writeFrom = (bytes: Buffer, offset: number) => {
    write(fd, bytes, offset, bytes.length - offset, null, (error, writtenCount) => {
      if (error?.code === "EAGAIN")
        return void setTimeout(writeFrom, RETRY_MS, bytes, offset).unref();
      if (!error && offset + writtenCount < bytes.length)
        return writeFrom(bytes, offset + writtenCount);
      if (error) fail(bytes, offset);
      isWriting = false;
      // After a failure the timer retries; retrying at once would loop forever.
      if (!error && buffer !== "") return startWrite();
      whenIdle.resolve();
      whenIdle = Promise.withResolvers();
    });
  };
  const fail = (bytes: Buffer, offset: number) => {
    drop(bytes.subarray(offset).toString());
    if (reportedCount > 0 && offset === 0) lostCount += reportedCount - 1;
  };
  setInterval(startWrite, FLUSH_INTERVAL_MS).unref();
  return {
    write: (text) => {
      if (buffer.length + text.length > MAX_BUFFERED_CHARACTERS) return drop(text);
      buffer += text;
      if (buffer.length >= bytesPerWrite) startWrite();
    },
    flush: async () => {
      startWrite();
      if (isWriting) await Promise.race([whenIdle.promise, Bun.sleep(FLUSH_TIMEOUT_MS)]);
    },
    flushNow: () => {
      // A synchronous write would wait for the current one, perhaps forever.
      if (isWriting || buffer === "") return;
      try {
        writeSync(fd, takeBuffer());
      } catch {
        // There is nowhere left to report this error.
      }
    },
  };
}

const lostLinesReport = (count: number) =>
  `{"level":40,"time":"${new Date().toISOString()}","lostLines":${count},"msg":"log lines were lost"}\n`;
