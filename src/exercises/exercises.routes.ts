import { type Actor, isTrainer } from "../actor.ts";
import type { Config } from "../config.ts";
import { type Operation, operation } from "../http/operation.ts";
import { Page } from "../http/page.ts";
import { canonical, type MadeAnswer, remembered } from "../http/remembered.ts";
import { choose, taggedReply } from "../http/reply.ts";
import {
  Exercise,
  ExerciseFacets,
  ExerciseId,
  FacetQuestion,
  FindExercise,
  ListExercises,
} from "./exercises.schemas.ts";
import {
  countByFacet,
  findExercise,
  getExercise,
  type Keys,
  keyFor,
  keyOfOne,
  listExercises,
  orClients,
  type ReadDeps,
  withImageHost,
} from "./exercises.service.ts";

const tag = "Exercises";

export function exerciseRoutes({ config, ...deps }: ReadDeps & { config: Config }): Operation[] {
  const memory = deps.catalogMemory;
  const answer = (request: Request, actor: Actor, key: string, make: () => Promise<MadeAnswer>) =>
    remembered(memory, request, key, actor.userId, async () => {
      const made = await make();
      return { ...made, json: withImageHost(made.json, config.CDN_RESOURCES_URL) };
    });
  const keysOf = (shared: string, { userId }: Actor): Keys => ({ shared, personal: () => `${userId} ${shared}` });
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
        isRemembered: true,
      },
      ({ actor, query, request }) => {
        const keys = keysOf(canonical("exercises", query), actor);
        const key = keyFor(memory, actor, query.scope, keys);
        return answer(request, actor, key, () => listExercises(deps, actor, query, keys));
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
        query: FacetQuestion,
        answers: { 200: ExerciseFacets },
        isTagged: true,
        isRemembered: true,
      },
      ({ actor, query, request }) => {
        const keys = keysOf(canonical("facets", query), actor);
        const key = keyFor(memory, actor, query.scope, keys);
        return answer(request, actor, key, () => countByFacet(deps, actor, query, keys));
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
        isRemembered: true,
        problems: { 400: "Neither or both of name and slug", 404: "There is none" },
      },
      ({ actor, query, request }) => {
        const keys = keysOf(canonical("criteria", query), actor);
        return answer(request, actor, keyOfOne(memory, keys), () => findExercise(deps, actor, query, keys));
      },
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
        isRemembered: true,
        problems: { 404: "There is none, or it is somebody else's" },
      },
      ({ actor, params, request }) => {
        const { exerciseId } = params;
        const keys = keysOf(`exercise/${exerciseId}`, actor);
        const read = () =>
          answer(request, actor, keyOfOne(memory, keys), () => getExercise(deps, actor, exerciseId, keys));
        if (!isTrainer(actor)) return read();
        return orClients(deps, actor, exerciseId, read, (document) =>
          choose(taggedReply(withImageHost(document, config.CDN_RESOURCES_URL)), request.headers.get("if-none-match")),
        );
      },
    ),
  ];
}
