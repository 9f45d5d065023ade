/**
 * A complete answer: its status, the seconds of Retry-After (0 if absent), the length of its body,
 * and whether the connection ends.
 */
export type Answer = { status: number; retryAfterS: number; bodyBytes: number; isLast: boolean };

export type Parser = {
  /**
   * Parses a chunk. Returns the answer that it completes, or undefined. One request may be
   * outstanding at a time.
   */
  receive(chunk: Uint8Array): Answer | undefined;
};

const HEADER_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const EMPTY = Buffer.alloc(0);

/** What comes next: the head, a body of known length, or a part of a chunked body. */
type Part = "head" | "body" | "size" | "chunk" | "chunk end" | "trailer";
/** Whether a step made progress, needs more bytes, or completed the answer. */
type Step = "progress" | "incomplete" | "complete";

/**
 * Parses HTTP/1.1 answers from chunks of any size: with Content-Length, chunked, or without a body
 * (RFC 9112 §6.3). Bodies are counted and not kept. Throws for malformed answers, for a body that
 * ends with the connection, and for bytes after an answer.
 */
export function createParser(): Parser {
  let pending: Buffer = EMPTY;
  let part: Part = "head";
  let head: Head = { status: 0, retryAfterS: 0, length: 0, isLast: false };
  let remaining = 0;
  let bodyBytes = 0;

  /** Consumes a part of `pending`. */
  const step = (): Step => {
    if (part === "body" || part === "chunk") return countBody();
    const end = pending.indexOf(part === "head" ? HEADER_END : LINE_END);
    if (end < 0) return "incomplete";
    const text = pending.toString("latin1", 0, end);
    pending = pending.subarray(end + (part === "head" ? 4 : 2));
    return part === "head" ? startBody(parseHead(text)) : readLine(text);
  };

  /** Handles a line of a chunked body. */
  const readLine = (line: string): Step => {
    if (part === "trailer") return line === "" ? "complete" : "progress";
    if (part === "chunk end") {
      if (line !== "") throw new Error("A chunk is longer than its size");
      part = "size";
      return "progress";
    }
    remaining = parseSize(line);
    part = remaining === 0 ? "trailer" : "chunk";
    return "progress";
  };

  const countBody = (): Step => {
    const count = Math.min(remaining, pending.length);
    remaining -= count;
    bodyBytes += count;
    pending = pending.subarray(count);
    if (remaining > 0) return "incomplete";
    if (part === "body") return "complete";
    part = "chunk end";
    return "progress";
  };

  const startBody = (read: Head): Step => {
    // After 1xx the final answer follows.
    if (read.status < 200) return "progress";
    head = read;
    remaining = read.length;
    part = read.length === CHUNKED ? "size" : "body";
    return "progress";
  };

  return {
    receive(chunk) {
      const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      pending = pending.length === 0 ? arrived : Buffer.concat([pending, arrived]);
      let progress = step();
      while (progress === "progress") progress = step();
      if (progress === "incomplete") {
        // The socket reuses its buffer, so incomplete lines and heads are copied.
        pending = pending.length === 0 ? EMPTY : Buffer.from(pending);
        return undefined;
      }
      if (pending.length > 0) throw new Error("Bytes after the answer");
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

function parseHead(text: string): Head {
  if (!/^HTTP\/1\.[01] \d{3}/.test(text))
    throw new Error(`Not an HTTP answer:  ${text.slice(0, 40)}`);
  const status = Number(text.slice(9, 12));
  const isOld = text.startsWith("HTTP/1.0") && !/\r\nconnection:[^\r]*keep-alive/i.test(text);
  const isLast = isOld || /\r\nconnection:[^\r]*\bclose\b/i.test(text);
  const retryAfterS = status < 400 ? 0 : parseRetryAfter(text);
  if (status < 200 || status === 204 || status === 304)
    return { status, retryAfterS, length: 0, isLast };
  if (/\r\ntransfer-encoding:[^\r]*\bchunked\b/i.test(text))
    return { status, retryAfterS, length: CHUNKED, isLast };
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return { status, retryAfterS, length: Number(length), isLast };
  throw new Error(`An answer ${status} without a length`);
}

const MAX_SECONDS = 0xffff;

/** Seconds, at least 1 if given (RFC 9110 §10.2.3); 0 for a date. */
function parseRetryAfter(text: string): number {
  const seconds = /\r\nretry-after: *(\d+) *(?:\r|$)/i.exec(text)?.[1];
  return seconds === undefined ? 0 : Math.min(Math.max(Number(seconds), 1), MAX_SECONDS);
}

/** The hexadecimal size before any extension (RFC 9112 §7.1). */
function parseSize(line: string): number {
  const digits = /^([0-9a-f]+)[ \t]*(?:;|$)/i.exec(line)?.[1];
  if (digits === undefined) throw new Error("A chunk has no size");
  return Number.parseInt(digits, 16);
}
