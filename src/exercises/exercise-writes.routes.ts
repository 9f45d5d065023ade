import type { Config } from "../config/config.ts";
import type { Precondition } from "../http/if-match.ts";
import { createdJson, noContent, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import {
  changeExercise,
  createExercise,
  removeExercise,
  type WriteDeps,
} from "./exercise-writes.service.ts";
import {
  Exercise,
  ExerciseId,
  ExercisePatch,
  NewExercise,
  NewSystemExercise,
  SystemExercisePatch,
} from "./exercises.schemas.ts";
import { withImageHost } from "./exercises.service.ts";

const tag = "Exercises";
const createProblems = { 404: "A catalog id is not there", 409: "The name is taken" };
const changeProblems = {
  404: "There is no such exercise for the asker, or a catalog id is not there",
  409: "The name is taken",
  412: "It is not as If-Match says",
};

export function exerciseWriteRoutes({
  config,
  ...deps
}: WriteDeps & { config: Config }): Operation[] {
  const toWire = (document: string) => withImageHost(document, config.CDN_RESOURCES_URL);
  /** The ETag that a client has read is of the document with the image host in it. */
  const onWire =
    (precondition: Precondition): Precondition =>
    (version, read) =>
      precondition(version, async () => toWire(await read()));
  return [
    operation(
      "POST",
      "/api/v1/exercises/user",
      {
        id: "CreateUserExercise",
        tag,
        summary: "Create an exercise of one's own",
        access: "active",
        body: NewExercise,
        answers: { 201: Exercise },
        problems: createProblems,
      },
      async ({ actor, body }) =>
        createdJson(toWire(await createExercise(deps, actor.userId, body))),
    ),
    operation(
      "POST",
      "/api/v1/exercises/system",
      {
        id: "CreateSystemExercise",
        tag,
        summary: "Create an exercise of the catalog",
        access: "superuser",
        body: NewSystemExercise,
        answers: { 201: Exercise },
        problems: createProblems,
      },
      async ({ body }) => createdJson(toWire(await createExercise(deps, null, body))),
    ),
    operation(
      "PATCH",
      "/api/v1/exercises/user/:exerciseId",
      {
        id: "UpdateUserExercise",
        tag,
        summary: "Change an exercise of one's own",
        access: "active",
        params: ExerciseId,
        body: ExercisePatch,
        staleReason: "exercises.stale",
        answers: { 200: Exercise },
        problems: changeProblems,
      },
      async ({ actor, params: { exerciseId }, body, precondition }) => {
        const document = await changeExercise(
          deps,
          actor,
          actor.userId,
          exerciseId,
          body,
          onWire(precondition),
        );
        return okJson(toWire(document));
      },
    ),
    operation(
      "PATCH",
      "/api/v1/exercises/system/:exerciseId",
      {
        id: "UpdateSystemExercise",
        tag,
        summary: "Change an exercise of the catalog",
        access: "superuser",
        params: ExerciseId,
        body: SystemExercisePatch,
        staleReason: "exercises.stale",
        answers: { 200: Exercise },
        problems: changeProblems,
      },
      async ({ actor, params: { exerciseId }, body, precondition }) => {
        const document = await changeExercise(
          deps,
          actor,
          null,
          exerciseId,
          body,
          onWire(precondition),
        );
        return okJson(toWire(document));
      },
    ),
    operation(
      "DELETE",
      "/api/v1/exercises/:exerciseId",
      {
        id: "DeleteExercise",
        tag,
        summary: "Delete an exercise of one's own, or as a superuser one of the catalog",
        access: "active",
        params: ExerciseId,
        staleReason: "exercises.stale",
        answers: { 204: null },
        problems: {
          403: "It is of the catalog",
          404: "There is no such exercise for the asker",
          412: "It is not as If-Match says",
        },
      },
      async ({ actor, params, precondition }) => {
        await removeExercise(deps, actor, params.exerciseId, onWire(precondition));
        return noContent();
      },
    ),
  ];
}
