import type { CatalogMemory, Remembered } from "../catalog-memory.ts";
import { chooseForm, type KeptReply, keptReply } from "./kept-reply.ts";
import type { Reply } from "./reply.ts";

/** An answer as it was made: under which key it may be remembered, and whose exercises it shows (null: the catalog's only). */
export type MadeAnswer = { json: string; key: string; ownerId: string | null; also?: Remembered[] };

/** What an entry costs beside its text: its replies with their headers. */
const ENTRY_BYTES = 4096;

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
  const known = memory.recall<KeptReply>(key);
  if (known) return chooseForm(known, request);
  const load = async () => {
    const { json, also = [], ...made } = await make();
    const value = keptReply(json);
    // Half as much again for the compressed form, which is made when somebody wants it.
    return { value, remember: [{ ...made, value, bytes: json.length * 1.5 + ENTRY_BYTES }, ...also] };
  };
  return memory.load(key, askerId, load).then((made) => chooseForm(made, request));
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
