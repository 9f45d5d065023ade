import {
  etagOf,
  matchesEtag,
  prepare,
  type Reply,
  type TaggedReply,
  tagged,
  ZIPPED_MARK,
} from "../http/reply.ts";

/** A reply that is sent many times: uncompressed, and gzipped once a client accepts that. */
export type CachedReply = { json: string; plain: TaggedReply; gzipped: TaggedReply | undefined };

/** Shorter texts fit into one packet uncompressed. */
const MIN_GZIP_LENGTH = 1024;
const VARY = "Cookie, Accept-Encoding";

export const cachedReply = (json: string): CachedReply => ({
  json,
  plain: withPreparedHeaders(tagged(json, etagOf(json), { vary: VARY })),
  gzipped: undefined,
});

/**
 * The reply in the content coding that the client accepts; 304 if `If-None-Match` names either
 * form.
 */
export function negotiate(cached: CachedReply, { headers }: Request): Reply {
  const { plain } = cached;
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (matchesEtag(ifNoneMatch, plain.etag)) return plain.notModified;
    if (ifNoneMatch.includes(ZIPPED_MARK) && matchesEtag(ifNoneMatch, gzippedForm(cached).etag)) {
      return gzippedForm(cached).notModified;
    }
  }
  const isGzipped =
    cached.json.length >= MIN_GZIP_LENGTH && acceptsGzip(headers.get("accept-encoding"));
  return isGzipped ? gzippedForm(cached).full : plain.full;
}

function gzippedForm(cached: CachedReply): TaggedReply {
  if (cached.gzipped) return cached.gzipped;
  const bytes = Bun.gzipSync(cached.json, { library: "libdeflate", level: 6 });
  const etag = cached.plain.etag.replace(/"$/, `${ZIPPED_MARK}"`);
  cached.gzipped = withPreparedHeaders(
    tagged(bytes, etag, { vary: VARY, "content-encoding": "gzip" }),
  );
  return cached.gzipped;
}

function withPreparedHeaders(reply: TaggedReply): TaggedReply {
  prepare(reply.full);
  prepare(reply.notModified);
  return reply;
}

/** RFC 9110 §12.5.3: a list of codings; a weight of zero refuses one. */
const ACCEPTED_GZIP = /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9])[\d.]*\s*)?(?:,|$)/i;

const acceptsGzip = (header: string | null) => header !== null && ACCEPTED_GZIP.test(header);
