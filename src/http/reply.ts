/** A response as handlers return it, without the headers that every response has. */
export type Reply = {
  status: number;
  body: string | Uint8Array<ArrayBuffer> | Blob | null;
  headers: Record<string, string>;
  /** The values of Set-Cookie headers. */
  cookies?: string[];
  /** True if the body must not be stored, not even for a retry with its Idempotency-Key. */
  isSecret?: boolean;
};

const JSON_TYPE = "application/json;charset=utf-8";
/** Headers of responses for one user, which must not be stored. */
const PERSONAL = { "content-type": JSON_TYPE, "cache-control": "no-store" };

/** 200 with a value as JSON. */
export const ok = (value: unknown): Reply => okJson(JSON.stringify(value));

/** 200 with a JSON text. */
export const okJson = (json: string): Reply => ({ status: 200, body: json, headers: PERSONAL });

export const created = (value: unknown): Reply => createdJson(JSON.stringify(value));

/** 201 with a JSON text. */
export const createdJson = (json: string): Reply => ({
  status: 201,
  body: json,
  headers: PERSONAL,
});

/** Marks a reply as secret (`isSecret`). */
export const secret = (reply: Reply): Reply => ({ ...reply, isSecret: true });

export const noContent = (cookies?: string[]): Reply => ({
  status: 204,
  body: null,
  headers: { "cache-control": "no-store" },
  ...(cookies ? { cookies } : {}),
});

const PLAIN = { "content-type": "text/plain;charset=utf-8", "cache-control": "no-store" };
export const plain = (text: string): Reply => ({ status: 200, body: text, headers: PLAIN });

/** A response with an ETag, and its 304; both are created once and cached. */
export type TaggedReply = { etag: string; full: Reply; notModified: Reply };

/** A JSON text with a strong ETag of its bytes, which clients may store and revalidate. */
export const taggedReply = (json: string): TaggedReply =>
  tagged(json, etagOf(json), { vary: "Cookie" });

/** A 200 with `body` and its 304; `headers` are added to both. */
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

/** 304 if `ifNoneMatch` matches, else 200. */
export const choose = (
  { etag, full, notModified }: TaggedReply,
  ifNoneMatch: string | null,
): Reply => (ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag) ? notModified : full);

/** Creates the Headers object of a reply that will be sent many times. */
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

/** Headers of every response. The API reference replaces the policy, because it has scripts. */
const EVERY_ANSWER = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/** Headers objects of constant records; reusing one is twice as fast as converting the record. */
const prepared = new WeakMap<Reply["headers"], Headers>(
  [PERSONAL, PLAIN].map((headers) => [headers, new Headers({ ...EVERY_ANSWER, ...headers })]),
);

/** A static response, without a request id. */
export const toStaticResponse = ({ status, body, headers }: Reply): Response =>
  new Response(body, { status, headers: { ...EVERY_ANSWER, ...headers } });

/** The response of a reply. Without `requestId`, no X-Request-ID header is set. */
export function toResponse(
  { status, body, headers, cookies }: Reply,
  requestId: string | undefined,
): Response {
  // Response copies the headers, so one Headers object serves every response.
  const response = new Response(body, {
    status,
    headers: prepared.get(headers) ?? { ...EVERY_ANSWER, ...headers },
  });
  if (requestId !== undefined) response.headers.set("x-request-id", requestId);
  if (cookies) for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** Ends the ETag of compressed bytes, which need an ETag of their own (RFC 9110 §8.8.3.3). */
export const ZIPPED_MARK = "-gz";

/** The ETag of the uncompressed text for an ETag of either representation. */
export const ofText = (etag: string): string => etag.replace(`${ZIPPED_MARK}"`, '"');
