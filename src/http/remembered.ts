import type { CatalogMemory, Remembered } from "../catalog-memory.ts";
import { choose, prepare, type Reply, type TaggedReply, taggedReply } from "./reply.ts";

/** An answer as it was made: under which key it may be remembered, and whose exercises it shows (null: the catalog's only). */
export type MadeAnswer = { json: string; key: string; ownerId: string | null; also?: Remembered[] };

/** What an entry costs beside its text: two replies with their headers. */
const ENTRY_BYTES = 2048;

/**
 * Answers a read from memory, at once when it is there, else by `make`. `key` names the whole question, and the asker
 * where the answer depends on who asks.
 */
export function remembered(
  memory: CatalogMemory,
  request: Request,
  key: string,
  askerId: string | null,
  make: () => Promise<MadeAnswer>,
): Reply | Promise<Reply> {
  const ifNoneMatch = request.headers.get("if-none-match");
  const known = memory.recall<TaggedReply>(key);
  if (known) return choose(known, ifNoneMatch);
  const load = async () => {
    const { json, also = [], ...made } = await make();
    const value = taggedReply(json);
    prepare(value.full);
    prepare(value.notModified);
    return { value, remember: [{ ...made, value, bytes: json.length + ENTRY_BYTES }, ...also] };
  };
  return memory.load(key, askerId, load).then((made) => choose(made, ifNoneMatch));
}

const keys = new WeakMap<object, string>();

/**
 * A checked query as a key: the same for the same question about `what`, whatever its order. Without `scope`, which
 * lists name apart. The same query object, which `checkInputs` gives for the same text, is always about the same thing.
 */
export function canonical(what: string, query: Record<string, unknown>): string {
  const known = keys.get(query);
  if (known !== undefined) return known;
  const fields = Object.entries(query)
    .filter(([name]) => name !== "scope")
    .map(([name, value]) => [name, Array.isArray(value) ? [...new Set(value)].sort((a, b) => a - b) : value]);
  const key = `${what}?${JSON.stringify(fields.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))}`;
  keys.set(query, key);
  return key;
}
