import type { Audience, CatalogMemory, Made } from "../catalog-memory.ts";
import { chooseForm, type KeptReply, keptReply } from "./kept-reply.ts";
import type { Reply } from "./reply.ts";

/** An answer as it was made, its audience, and what else its computation found out that may be cached. */
export type MadeAnswer = { json: string } & Pick<Made<unknown>, "audience" | "also">;

/** What an entry costs beside its text: its replies with their headers. */
const ENTRY_BYTES = 4096;

/** Answers `question` for `audience` from the cache, at once when it is there, else by `make`. */
export function remembered(
  memory: CatalogMemory,
  request: Request,
  question: string,
  audience: Audience,
  make: () => Promise<MadeAnswer>,
): Reply | Promise<Reply> {
  const known = memory.recall<KeptReply>(question, audience);
  if (known) return chooseForm(known, request);
  const load = async () => {
    const { json, ...made } = await make();
    // Half as much again for the compressed form, which is made when somebody wants it.
    return { ...made, value: keptReply(json), bytes: json.length * 1.5 + ENTRY_BYTES };
  };
  return memory.load(question, audience, load).then((made) => chooseForm(made, request));
}

/** Whose answer to a question about one thing is looked for: everyone's when the cache has it, else the user's own. */
export const audienceOfOne = (memory: CatalogMemory, question: string, userId: string): Audience =>
  memory.recall(question, null) === undefined ? userId : null;

const questions = new WeakMap<object, { what: string; question: string }>();

/**
 * A checked query about `what` as the question of a cache entry: the same whatever the query's order. Computed once for
 * each query object, which `checkInputs` gives for the same text. Without `scope`, which lists name apart.
 */
export function canonical(what: string, query: Record<string, unknown>): string {
  const known = questions.get(query);
  if (known?.what === what) return known.question;
  const fields = Object.entries(query)
    .filter(([name]) => name !== "scope")
    .map(([name, value]) => [name, Array.isArray(value) ? [...new Set(value)].sort((a, b) => a - b) : value]);
  const question = `${what}?${JSON.stringify(fields.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))}`;
  questions.set(query, { what, question });
  return question;
}
