import { chmodSync, closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";

/** A page that processes in C share with us: words of 64 bits. */
export type SharedWords = {
  path: string;
  read(at: number): number;
  write(at: number, value: number): void;
};

const WORD_BYTES = 8;

/** A page of zeros at `path`, for any user: PostgreSQL is not root. */
export function createSharedWords(path: string): SharedWords {
  writeFileSync(path, Buffer.alloc(4096));
  chmodSync(path, 0o666);
  return sharedWordsAt(path);
}

/** The page that somebody created at `path`. */
export function sharedWordsAt(path: string): SharedWords {
  const open = <T>(how: "r" | "r+", work: (file: number) => T): T => {
    const file = openSync(path, how);
    try {
      return work(file);
    } finally {
      closeSync(file);
    }
  };
  return {
    path,
    read: (at) => {
      const word = Buffer.alloc(WORD_BYTES);
      open("r", (file) => readSync(file, word, 0, WORD_BYTES, at * WORD_BYTES));
      return Number(word.readBigUInt64LE());
    },
    write: (at, value) => {
      const word = Buffer.alloc(WORD_BYTES);
      word.writeBigUInt64LE(BigInt(value));
      open("r+", (file) => writeSync(file, word, 0, WORD_BYTES, at * WORD_BYTES));
    },
  };
}
