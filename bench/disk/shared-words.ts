import { chmodSync, closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";

/** A page of 64-bit words shared with C code in other processes. */
export type SharedWords = {
  path: string;
  read(index: number): number;
  write(index: number, value: number): void;
};

const WORD_BYTES = 8;

/** Creates a page of zeros that any user may write: PostgreSQL does not run as root. */
export function createSharedWords(path: string): SharedWords {
  writeFileSync(path, Buffer.alloc(4096));
  chmodSync(path, 0o666);
  return sharedWordsAt(path);
}

/** Opens the page at `path`. */
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
    read: (index) => {
      const word = Buffer.alloc(WORD_BYTES);
      open("r", (file) => readSync(file, word, 0, WORD_BYTES, index * WORD_BYTES));
      return Number(word.readBigUInt64LE());
    },
    write: (index, value) => {
      const word = Buffer.alloc(WORD_BYTES);
      word.writeBigUInt64LE(BigInt(value));
      open("r+", (file) => writeSync(file, word, 0, WORD_BYTES, index * WORD_BYTES));
    },
  };
}
