import {
  etagOf,
  matchesEtag,
  prepare,
  type Reply,
  type TaggedReply,
  tagged,
  ZIPPED_MARK,
} from "../http/reply.ts";

/** An answer that is sent many times: as text, and compressed once somebody takes that. */
export type CachedReply = { json: string; plain: TaggedReply; zipped: TaggedReply | undefined };

/** Shorter texts fill a packet anyway. */
const MIN_ZIPPED_LENGTH = 1024;
const VARY = "Cookie, Accept-Encoding";

export const cachedReply = (json: string): CachedReply => ({
  json,
  plain: prepared(tagged(json, etagOf(json), { vary: VARY })),
  zipped: undefined,
});

/** The form that the client takes; 304 when it has either already. */
export function chooseForm(kept: CachedReply, { headers }: Request): Reply {
  const { plain } = kept;
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (matchesEtag(ifNoneMatch, plain.etag)) return plain.notModified;
    if (ifNoneMatch.includes(ZIPPED_MARK) && matchesEtag(ifNoneMatch, zippedOf(kept).etag)) {
      return zippedOf(kept).notModified;
    }
  }
  const isZipped =
    kept.json.length >= MIN_ZIPPED_LENGTH && takesGzip(headers.get("accept-encoding"));
  return isZipped ? zippedOf(kept).full : plain.full;
}

function zippedOf(kept: CachedReply): TaggedReply {
  if (kept.zipped) return kept.zipped;
  const bytes = Bun.gzipSync(kept.json, { library: "libdeflate", level: 6 });
  const etag = kept.plain.etag.replace(/"$/, `${ZIPPED_MARK}"`);
  kept.zipped = prepared(tagged(bytes, etag, { vary: VARY, "content-encoding": "gzip" }));
  return kept.zipped;
}

function prepared(reply: TaggedReply): TaggedReply {
  prepare(reply.full);
  prepare(reply.notModified);
  return reply;
}

/** RFC 9110 §12.5.3: a list of codings, of which a weight of zero refuses one. */
const GZIP_TAKEN = /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9])[\d.]*\s*)?(?:,|$)/i;

const takesGzip = (header: string | null) => header !== null && GZIP_TAKEN.test(header);
