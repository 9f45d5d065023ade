import type { Db } from "#db/client.ts";
import type { Config } from "../config.ts";
import { type Operation, operation } from "../http/operation.ts";
import { Page, pageJson, pageWindow } from "../http/page.ts";
import { tagged } from "../http/reply.ts";
import { findDocument, listDocuments } from "./exercises.queries.ts";
import { Exercise, ExerciseId, FindExercise, ListExercises } from "./exercises.schemas.ts";
import { exerciseNotFound, findExercise, withImageHost } from "./exercises.service.ts";

const tag = "Exercises";

export function exerciseRoutes({ db, config }: { db: Db; config: Config }): Operation[] {
  const answer = (json: string, request: Request) =>
    tagged(withImageHost(json, config.CDN_RESOURCES_URL), request.headers.get("if-none-match"));
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
      },
      async ({ actor, query, request }) => {
        const window = pageWindow(query);
        const { documents, total } = await listDocuments(db, actor.userId, query, window);
        return answer(pageJson(documents, window, total), request);
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
        problems: { 400: "Neither or both of name and slug", 404: "There is none" },
      },
      async ({ actor, query, request }) => answer(await findExercise(db, actor, query), request),
    ),
    operation(
      "GET",
      "/api/v1/exercises/:exerciseId",
      {
        id: "GetExercise",
        tag,
        summary: "Get one exercise",
        access: "active",
        params: ExerciseId,
        answers: { 200: Exercise },
        isTagged: true,
        problems: { 404: "There is none, or it is somebody else's" },
      },
      async ({ actor, params, request }) => {
        const document = await findDocument(db, actor.userId, params.exerciseId);
        if (document === undefined) throw exerciseNotFound();
        return answer(document, request);
      },
    ),
  ];
}
