import type { Reply } from "../http/reply.ts";
import { type CachedReply, cachedReply, chooseForm } from "./cached-reply.ts";
import type { Audience, CatalogCache, Computed } from "./catalog-cache.ts";

/**
 * An answer as JSON, its audience, and further entries that the computation yields for the cache.
 */
export type ComputedAnswer = { json: string } & Pick<Computed<unknown>, "audience" | "also">;

/** What an entry costs beside its text: its replies with their headers. */
const ENTRY_BYTES = 4096;

/** Answers `question` for `audience` from the cache, or by `compute` on a miss. */
export function answerFromCache(
  memory: CatalogCache,
  request: Request,
  question: string,
  audience: Audience,
  compute: () => Promise<ComputedAnswer>,
): Reply | Promise<Reply> {
  const known = memory.get<CachedReply>(question, audience);
  if (known) return chooseForm(known, request);
  const load = async () => {
    const { json, ...entry } = await compute();
    // Half as much again for the compressed form, which the first request for it creates.
    return { ...entry, value: cachedReply(json), bytes: json.length * 1.5 + ENTRY_BYTES };
  };
  return memory.load(question, audience, load).then((reply) => chooseForm(reply, request));
}

/**
 * The audience under which to look up a question about one thing: everyone if that is cached, else
 * the user.
 */
export const audienceOfOne = (memory: CatalogCache, question: string, userId: string): Audience =>
  memory.get(question, null) === undefined ? userId : null;

const questions = new WeakMap<object, { what: string; question: string }>();

/**
 * The question of a cache entry for a checked query about `what`; the order of the query's fields
 * does not matter. Computed once for each query object, which `checkInputs` returns for the same
 * text. Leaves out `scope`, which the lists put into the question themselves.
 */
export function canonical(what: string, query: Record<string, unknown>): string {
  const known = questions.get(query);
  if (known?.what === what) return known.question;
  const fields = Object.entries(query)
    .filter(([name]) => name !== "scope")
    .map(([name, value]) => [
      name,
      Array.isArray(value) ? [...new Set(value)].sort((a, b) => a - b) : value,
    ]);
  const question = `${what}?${JSON.stringify(fields.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))}`;
  questions.set(query, { what, question });
  return question;
}
