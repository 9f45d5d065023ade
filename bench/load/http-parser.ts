/** An answer that is complete: its status, the bytes of its body, and whether the connection goes on. */
export type Answer = { status: number; bodyBytes: number; isLast: boolean };

export type Parser = {
  /** Takes in what came; the answer that it completes, or undefined. One request at a time is on its way. */
  receive(chunk: Uint8Array): Answer | undefined;
};

const HEADER_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");

/**
 * Reads HTTP/1.1 answers from chunks of any size: with Content-Length, chunked, or without a body (RFC 9112 §6.3).
 * Throws for what is no HTTP answer, and for a body that only the end of the connection would end.
 */
export function createParser(): Parser {
  let pending: Buffer = Buffer.alloc(0);
  let head: { status: number; length: number; isLast: boolean } | undefined;
  let bodyBytes = 0;
  let isInTrailer = false;

  const finish = (): Answer => {
    const { status, isLast } = head as NonNullable<typeof head>;
    const answer = { status, bodyBytes, isLast };
    head = undefined;
    bodyBytes = 0;
    isInTrailer = false;
    return answer;
  };

  /** Takes one line or piece of a chunked body off `pending`: whether there was one, or it was the last. */
  const readPiece = (): "more" | "waits" | "ended" => {
    const end = pending.indexOf(LINE_END);
    if (end < 0) return "waits";
    if (isInTrailer) {
      pending = pending.subarray(end + 2);
      return end === 0 ? "ended" : "more";
    }
    const size = Number.parseInt(pending.toString("latin1", 0, end), 16);
    if (Number.isNaN(size)) throw new Error("A chunk without a size");
    const until = size === 0 ? end + 2 : end + 2 + size + 2;
    if (pending.length < until) return "waits";
    isInTrailer = size === 0;
    bodyBytes += size;
    pending = pending.subarray(until);
    return "more";
  };

  return {
    receive(chunk) {
      const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      pending = pending.length === 0 ? arrived : Buffer.concat([pending, arrived]);
      while (!head) {
        const end = pending.indexOf(HEADER_END);
        if (end < 0) return keep();
        head = readHead(pending.toString("latin1", 0, end));
        pending = pending.subarray(end + 4);
        // 1xx: the answer proper is still to come.
        if (head.status < 200) head = undefined;
      }
      if (head.length < 0) {
        let read = readPiece();
        while (read === "more") read = readPiece();
        return read === "ended" ? finish() : keep();
      }
      const missing = head.length - bodyBytes;
      const taken = Math.min(missing, pending.length);
      bodyBytes += taken;
      pending = pending.subarray(taken);
      return taken < missing ? undefined : finish();
    },
  };

  /** The socket uses its buffer again, so what is waited on is copied. */
  function keep(): undefined {
    pending = Buffer.from(pending);
    return undefined;
  }
}

const CHUNKED = -1;

function readHead(text: string): { status: number; length: number; isLast: boolean } {
  if (!text.startsWith("HTTP/1.")) throw new Error(`No HTTP answer: ${text.slice(0, 40)}`);
  const status = Number(text.slice(9, 12));
  const isLast = /\r\nconnection: *close/i.test(text);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  if (length !== undefined) return { status, length: Number(length), isLast };
  if (/\r\ntransfer-encoding: *chunked/i.test(text)) return { status, length: CHUNKED, isLast };
  if (status < 200 || status === 204 || status === 304) return { status, length: 0, isLast };
  throw new Error(`An answer ${status} without a length`);
}
