import type { Db } from "#db/client.ts";
import { Page, pageJson, pageWindow } from "../http/page.ts";
import { choose, createdJson, noContent, okJson, taggedReply } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listRoutinesJson } from "./routines.queries.ts";
import {
  CloneRoutine,
  ListRoutines,
  NewRoutine,
  Routine,
  RoutineId,
  RoutinePatch,
  RoutineSummary,
} from "./routines.schemas.ts";
import {
  changeRoutine,
  cloneRoutine,
  createRoutine,
  getRoutine,
  removeRoutine,
  requireRoutineWritable,
} from "./routines.service.ts";

const tag = "Routines";
const access = "active";
const path = "/api/v1/routines";
const absent = { 404: "There is no such routine for the asker" };
const taken = { 404: "An exercise is not there", 409: "The name or id is taken" };
const stale = { 412: "It is not as If-Match says" };

export function routineRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "POST",
      path,
      {
        id: "CreateRoutine",
        tag,
        access,
        summary: "Create a routine with its exercises",
        body: NewRoutine,
        answers: { 201: Routine },
        problems: taken,
      },
      async ({ actor, body }) => createdJson(await createRoutine(db, actor, body)),
    ),
    operation(
      "GET",
      path,
      {
        id: "ListRoutines",
        tag,
        access,
        summary: "List routines: one's own, shared with one, public, or one's clients'",
        query: ListRoutines,
        answers: { 200: Page(RoutineSummary) },
      },
      async ({ actor, query }) => {
        const window = pageWindow(query);
        const { items, total } = await listRoutinesJson(db, actor.userId, query, window);
        return okJson(pageJson(items, window, total));
      },
    ),
    operation(
      "GET",
      `${path}/:routineId`,
      {
        id: "GetRoutine",
        tag,
        access,
        summary: "Get a routine with its exercises",
        params: RoutineId,
        answers: { 200: Routine },
        isTagged: true,
        problems: absent,
      },
      async ({ actor, params: { routineId }, request }) => {
        const reply = taggedReply(await getRoutine(db, actor, routineId));
        return choose(reply, request.headers.get("if-none-match"));
      },
    ),
    operation(
      "PATCH",
      `${path}/:routineId`,
      {
        id: "UpdateRoutine",
        isDetached: true,
        tag,
        access,
        summary: "Change a routine; exercises that are given replace all it had, in their order",
        params: RoutineId,
        body: RoutinePatch,
        staleReason: "routines.stale",
        answers: { 200: Routine },
        problems: {
          ...absent,
          403: "Only the owner shares it",
          409: "The name is taken",
          ...stale,
        },
        recheck: ({ actor, params }) => requireRoutineWritable(db, actor, params.routineId),
      },
      async ({ actor, params: { routineId }, body, precondition }) => {
        return okJson(await changeRoutine(db, actor, routineId, body, precondition));
      },
    ),
    operation(
      "POST",
      `${path}/:routineId/clone`,
      {
        id: "CloneRoutine",
        tag,
        access,
        summary: "Copy a routine that one may read into one's own",
        params: RoutineId,
        body: CloneRoutine,
        answers: { 201: Routine },
        problems: { ...absent, 409: "The name or id is taken" },
      },
      async ({ actor, params, body }) =>
        createdJson(await cloneRoutine(db, actor, params.routineId, body)),
    ),
    operation(
      "DELETE",
      `${path}/:routineId`,
      {
        id: "DeleteRoutine",
        tag,
        access,
        summary: "Delete a routine of one's own that no plan uses",
        params: RoutineId,
        staleReason: "routines.stale",
        answers: { 204: null },
        problems: { ...absent, 409: "A plan uses it", ...stale },
      },
      async ({ actor, params, precondition }) => {
        await removeRoutine(db, actor, params.routineId, precondition);
        return noContent();
      },
    ),
  ];
}
