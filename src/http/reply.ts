/**
 * An answer before it becomes a Response: handlers make these, `operation.ts` adds what every
 * answer carries.
 */
export type Reply = {
  status: number;
  body: string | Uint8Array<ArrayBuffer> | Blob | null;
  headers: Record<string, string>;
  /** One Set-Cookie header each. */
  cookies?: string[];
  /**
   * True when the body must be kept nowhere, not even to be sent again under an Idempotency-Key.
   */
  isSecret?: boolean;
};

const JSON_TYPE = "application/json;charset=utf-8";
/** Answers to one person: never kept by anyone. */
const PERSONAL = { "content-type": JSON_TYPE, "cache-control": "no-store" };

/** An answer with a JSON body, made from a value. */
export const ok = (value: unknown): Reply => okJson(JSON.stringify(value));

/** An answer with a JSON body that is text already. */
export const okJson = (json: string): Reply => ({ status: 200, body: json, headers: PERSONAL });

export const created = (value: unknown): Reply => createdJson(JSON.stringify(value));

/** The answer to a creation, with a JSON body that is text already. */
export const createdJson = (json: string): Reply => ({
  status: 201,
  body: json,
  headers: PERSONAL,
});

/** An answer whose body must be kept nowhere. */
export const secret = (reply: Reply): Reply => ({ ...reply, isSecret: true });

export const noContent = (cookies?: string[]): Reply => ({
  status: 204,
  body: null,
  headers: { "cache-control": "no-store" },
  ...(cookies ? { cookies } : {}),
});

const PLAIN = { "content-type": "text/plain;charset=utf-8", "cache-control": "no-store" };
export const plain = (text: string): Reply => ({ status: 200, body: text, headers: PLAIN });

/**
 * A tagged answer, whole and as "you have it already"; made once for as long as it is remembered.
 */
export type TaggedReply = { etag: string; full: Reply; notModified: Reply };

/**
 * An answer with a ready JSON text that the client may keep and ask about: it has a strong ETag of
 * the bytes.
 */
export const taggedReply = (json: string): TaggedReply =>
  tagged(json, etagOf(json), { vary: "Cookie" });

/**
 * Both forms of an answer of those bytes; `headers` are what it carries beside what every tagged
 * answer does.
 */
export function tagged(
  body: NonNullable<Reply["body"]>,
  etag: string,
  headers: Record<string, string>,
): TaggedReply {
  const both = { "cache-control": "private, no-cache", etag, ...headers };
  return {
    etag,
    full: { status: 200, body, headers: { ...both, "content-type": JSON_TYPE } },
    notModified: { status: 304, body: null, headers: both },
  };
}

/** 304 when the client has it already; `ifNoneMatch` is the request's header. */
export const choose = (
  { etag, full, notModified }: TaggedReply,
  ifNoneMatch: string | null,
): Reply => (ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag) ? notModified : full);

/** Has the headers of a reply that will be sent many times made once. */
export function prepare({ headers }: Reply): void {
  prepared.set(headers, new Headers({ ...EVERY_ANSWER, ...headers }));
}

/** A strong ETag of the bytes. */
export const etagOf = (json: string): string =>
  `"${Bun.hash.xxHash64(json).toString(36)}-${json.length.toString(36)}"`;

/** RFC 9110 §13.1.2: `*`, or a list in which a weak tag matches its strong twin. */
export function matchesEtag(header: string, etag: string): boolean {
  if (header === etag || header.trim() === "*") return true;
  return header.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/**
 * What every answer carries. The reference page needs scripts of its own and replaces the policy.
 */
const EVERY_ANSWER = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Complete headers by the constant record that they are made from: twice as fast as converting the
 * record each time.
 */
const prepared = new WeakMap<Reply["headers"], Headers>(
  [PERSONAL, PLAIN].map((headers) => [headers, new Headers({ ...EVERY_ANSWER, ...headers })]),
);

/** The answer without a request id: for a server whose proxy gives it one. */
export const toStaticResponse = ({ status, body, headers }: Reply): Response =>
  new Response(body, { status, headers: { ...EVERY_ANSWER, ...headers } });

/** `requestId` is undefined when whoever asked needs not be told. */
export function toResponse(
  { status, body, headers, cookies }: Reply,
  requestId: string | undefined,
): Response {
  // Response copies what it is given, so one Headers object serves every answer.
  const response = new Response(body, {
    status,
    headers: prepared.get(headers) ?? { ...EVERY_ANSWER, ...headers },
  });
  if (requestId !== undefined) response.headers.set("x-request-id", requestId);
  if (cookies) for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/**
 * What tells the tag of the compressed bytes from that of the text: they are other bytes (RFC 9110
 * §8.8.3.3).
 */
export const ZIPPED_MARK = "-gz";

/** An ETag as a client gave it, of whichever form: as that of the text. */
export const ofText = (etag: string): string => etag.replace(`${ZIPPED_MARK}"`, '"');
