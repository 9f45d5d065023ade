/**
 * An answer that is complete: its status, the seconds after which it says to come again (0: it does
 * not), the bytes of its body, and whether the connection ends.
 */
export type Answer = { status: number; retryAfterS: number; bodyBytes: number; isLast: boolean };

export type Parser = {
  /**
   * Takes in what came; the answer that it completes, or undefined. One request at a time is on its
   * way.
   */
  receive(chunk: Uint8Array): Answer | undefined;
};

const HEADER_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const NOTHING = Buffer.alloc(0);

/** What is read next: the head, a body of known length, or the parts of a chunked one. */
type Part = "head" | "body" | "size" | "chunk" | "chunk end" | "trailer";
/** Whether a step got anywhere, waits for more, or completed the answer. */
type Step = "on" | "waits" | "ended";

/**
 * Reads HTTP/1.1 answers from chunks of any size: with Content-Length, chunked, or without a body
 * (RFC 9112 §6.3). Bodies are counted and not kept. Throws for what is no HTTP answer, for a body
 * that only the end of the connection would end, and for bytes beyond an answer, which nobody asked
 * for.
 */
export function createParser(): Parser {
  let pending: Buffer = NOTHING;
  let part: Part = "head";
  let head: Head = { status: 0, retryAfterS: 0, length: 0, isLast: false };
  let missing = 0;
  let bodyBytes = 0;

  /** One step through `pending`. */
  const step = (): Step => {
    if (part === "body" || part === "chunk") return countBody();
    const end = pending.indexOf(part === "head" ? HEADER_END : LINE_END);
    if (end < 0) return "waits";
    const text = pending.toString("latin1", 0, end);
    pending = pending.subarray(end + (part === "head" ? 4 : 2));
    return part === "head" ? begin(readHead(text)) : follow(text);
  };

  /** A line of a chunked body. */
  const follow = (line: string): Step => {
    if (part === "trailer") return line === "" ? "ended" : "on";
    if (part === "chunk end") {
      if (line !== "") throw new Error("A chunk that is longer than it says");
      part = "size";
      return "on";
    }
    missing = readSize(line);
    part = missing === 0 ? "trailer" : "chunk";
    return "on";
  };

  const countBody = (): Step => {
    const taken = Math.min(missing, pending.length);
    missing -= taken;
    bodyBytes += taken;
    pending = pending.subarray(taken);
    if (missing > 0) return "waits";
    if (part === "body") return "ended";
    part = "chunk end";
    return "on";
  };

  const begin = (read: Head): Step => {
    // 1xx: the answer proper is still to come.
    if (read.status < 200) return "on";
    head = read;
    missing = read.length;
    part = read.length === CHUNKED ? "size" : "body";
    return "on";
  };

  return {
    receive(chunk) {
      const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      pending = pending.length === 0 ? arrived : Buffer.concat([pending, arrived]);
      let stepped = step();
      while (stepped === "on") stepped = step();
      if (stepped === "waits") {
        // The socket uses its buffer again, so what is waited on is copied: part of a line or of a
        // head.
        pending = pending.length === 0 ? NOTHING : Buffer.from(pending);
        return undefined;
      }
      if (pending.length > 0) throw new Error("Bytes beyond the answer");
      const answer = {
        status: head.status,
        retryAfterS: head.retryAfterS,
        bodyBytes,
        isLast: head.isLast,
      };
      part = "head";
      bodyBytes = 0;
      return answer;
    },
  };
}

type Head = { status: number; retryAfterS: number; length: number; isLast: boolean };

const CHUNKED = -1;

function readHead(text: string): Head {
  if (!/^HTTP\/1\.[01] \d{3}/.test(text)) throw new Error(`No HTTP answer: ${text.slice(0, 40)}`);
  const status = Number(text.slice(9, 12));
  const isOld = text.startsWith("HTTP/1.0") && !/\r\nconnection:[^\r]*keep-alive/i.test(text);
  const isLast = isOld || /\r\nconnection:[^\r]*\bclose\b/i.test(text);
  const retryAfterS = status < 400 ? 0 : readRetryAfter(text);
  if (status < 200 || status === 204 || status === 304)
    return { status, retryAfterS, length: 0, isLast };
  if (/\r\ntransfer-encoding:[^\r]*\bchunked\b/i.test(text))
    return { status, retryAfterS, length: CHUNKED, isLast };
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return { status, retryAfterS, length: Number(length), isLast };
  throw new Error(`An answer ${status} without a length`);
}

const MAX_SECONDS = 0xffff;

/**
 * Seconds, 1 at the least where they are told (RFC 9110 §10.2.3); a date counts as nothing told.
 */
function readRetryAfter(text: string): number {
  const seconds = /\r\nretry-after: *(\d+) *(?:\r|$)/i.exec(text)?.[1];
  return seconds === undefined ? 0 : Math.min(Math.max(Number(seconds), 1), MAX_SECONDS);
}

/** In hexadecimal, before any extension (RFC 9112 §7.1). */
function readSize(line: string): number {
  const digits = /^([0-9a-f]+)[ \t]*(?:;|$)/i.exec(line)?.[1];
  if (digits === undefined) throw new Error("A chunk without a size");
  return Number.parseInt(digits, 16);
}
