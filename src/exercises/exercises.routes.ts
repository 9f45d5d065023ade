import {
  answerFromCache,
  type ComputedAnswer,
  cacheKey,
  lookupAudience,
} from "../cache/cached-answers.ts";
import type { Audience } from "../cache/catalog-cache.ts";
import type { Config } from "../config/config.ts";
import { Page } from "../http/page.ts";
import { choose, taggedReply } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { type Actor, isTrainer } from "../permissions/actor.ts";
import {
  Exercise,
  ExerciseFacets,
  ExerciseId,
  FacetQuery,
  FindExercise,
  ListExercises,
} from "./exercises.schemas.ts";
import {
  countByFacet,
  findExercise,
  getExercise,
  listExercises,
  orOfClient,
  type ReadDeps,
  type View,
  viewFor,
  withImageHost,
} from "./exercises.service.ts";

const tag = "Exercises";

export function exerciseRoutes({ config, ...deps }: ReadDeps & { config: Config }): Operation[] {
  const { catalogCache } = deps;
  const answer = (
    request: Request,
    key: string,
    audience: Audience,
    compute: () => Promise<ComputedAnswer>,
  ) =>
    answerFromCache(catalogCache, request, key, audience, async () => {
      const computed = await compute();
      return { ...computed, json: withImageHost(computed.json, config.CDN_RESOURCES_URL) };
    });
  const answerOne = (
    request: Request,
    { userId }: Actor,
    key: string,
    compute: () => Promise<ComputedAnswer>,
  ) => answer(request, key, lookupAudience(catalogCache, key, userId), compute);
  return [
    operation(
      "GET",
      "/api/v1/exercises",
      {
        id: "ListExercises",
        tag,
        summary: "List the catalog's exercises and one's own",
        access: "active",
        query: ListExercises,
        answers: { 200: Page(Exercise) },
        isTagged: true,
        isCached: true,
      },
      ({ actor, query, request }) => {
        const view = viewFor(catalogCache, actor, query.scope);
        const key = keyIn(view, cacheKey("exercises", query));
        return answer(request, key, view.audience, () => listExercises(deps, actor, query, view));
      },
    ),
    operation(
      "GET",
      "/api/v1/exercises/facets",
      {
        id: "CountExercises",
        tag,
        summary: "Count exercises by what a list can be filtered by, under the filters given",
        access: "active",
        query: FacetQuery,
        answers: { 200: ExerciseFacets },
        isTagged: true,
        isCached: true,
      },
      ({ actor, query, request }) => {
        const view = viewFor(catalogCache, actor, query.scope);
        const key = keyIn(view, cacheKey("facets", query));
        return answer(request, key, view.audience, () => countByFacet(deps, actor, query, view));
      },
    ),
    operation(
      "GET",
      "/api/v1/exercises/criteria",
      {
        id: "FindExercise",
        tag,
        summary: "Find a system exercise by slug, or one's own by name",
        access: "active",
        query: FindExercise,
        answers: { 200: Exercise },
        isTagged: true,
        isCached: true,
        problems: { 400: "Neither or both of name and slug", 404: "There is none" },
      },
      ({ actor, query, request }) =>
        answerOne(request, actor, cacheKey("criteria", query), () =>
          findExercise(deps, actor, query),
        ),
    ),
    operation(
      "GET",
      "/api/v1/exercises/:exerciseId",
      {
        id: "GetExercise",
        tag,
        summary: "Get one exercise of the catalog, of one's own, or of a client's who allows it",
        access: "active",
        params: ExerciseId,
        answers: { 200: Exercise },
        isTagged: true,
        isCached: true,
        problems: { 404: "There is none, or it is somebody else's" },
      },
      ({ actor, params: { exerciseId }, request }) => {
        const read = () =>
          answerOne(request, actor, `exercise/${exerciseId}`, () =>
            getExercise(deps, actor, exerciseId),
          );
        if (!isTrainer(actor)) return read();
        return orOfClient(deps, actor, exerciseId, read, (document) =>
          choose(
            taggedReply(withImageHost(document, config.CDN_RESOURCES_URL)),
            request.headers.get("if-none-match"),
          ),
        );
      },
    ),
  ];
}

/** Tells the scopes `user` and `all` apart: the same audience gets different answers to them. */
const keyIn = ({ scope }: View, key: string) => (scope === "user" ? `${key} own` : key);
