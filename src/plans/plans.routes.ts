import type { Db } from "#db/client.ts";
import { Page, pageJson, pageWindow } from "../http/page.ts";
import { choose, createdJson, noContent, okJson, taggedReply } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listPlansJson } from "./plans.queries.ts";
import {
  Assignment,
  Assignments,
  ClonePlan,
  ListPlans,
  NewPlan,
  Plan,
  PlanId,
  PlanPatch,
  PlanSummary,
} from "./plans.schemas.ts";
import {
  assignToClients,
  changePlan,
  clonePlan,
  createPlan,
  getPlan,
  removePlan,
  requireAssignable,
  requirePlanWritable,
} from "./plans.service.ts";

const tag = "Plans";
const access = "active";
const path = "/api/v1/plans";
const absent = { 404: "There is no such plan for the asker" };
const stale = { 412: "It is not as If-Match says" };

export function planRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "POST",
      path,
      {
        id: "CreatePlan",
        tag,
        access,
        summary: "Create a plan of one's routines",
        body: NewPlan,
        answers: { 201: Plan },
        problems: { 404: "A routine is not one's own", 409: "The name or id is taken" },
      },
      async ({ actor, body }) => createdJson(await createPlan(db, actor, body)),
    ),
    operation(
      "GET",
      path,
      {
        id: "ListPlans",
        tag,
        access,
        summary: "List plans: one's own, shared with one, public, or one's clients'",
        query: ListPlans,
        answers: { 200: Page(PlanSummary) },
      },
      async ({ actor, query }) => {
        const window = pageWindow(query);
        const { items, total } = await listPlansJson(db, actor.userId, query, window);
        return okJson(pageJson(items, window, total));
      },
    ),
    operation(
      "GET",
      `${path}/:planId`,
      {
        id: "GetPlan",
        tag,
        access,
        summary: "Get a plan with its routines",
        params: PlanId,
        answers: { 200: Plan },
        isTagged: true,
        problems: absent,
      },
      async ({ actor, params: { planId }, request }) => {
        const reply = taggedReply(await getPlan(db, actor, planId));
        return choose(reply, request.headers.get("if-none-match"));
      },
    ),
    operation(
      "PATCH",
      `${path}/:planId`,
      {
        id: "UpdatePlan",
        isDetached: true,
        tag,
        access,
        summary: "Change a plan; routines that are given replace all it had",
        params: PlanId,
        body: PlanPatch,
        staleReason: "plans.stale",
        answers: { 200: Plan },
        problems: {
          ...absent,
          403: "Only the owner shares it",
          409: "The name is taken",
          ...stale,
        },
        recheck: ({ actor, params }) => requirePlanWritable(db, actor, params.planId),
      },
      async ({ actor, params: { planId }, body, precondition }) => {
        return okJson(await changePlan(db, actor, planId, body, precondition));
      },
    ),
    operation(
      "POST",
      `${path}/:planId/clone`,
      {
        id: "ClonePlan",
        tag,
        access,
        summary: "Copy a plan that one may read, with its routines, into one's own",
        params: PlanId,
        body: ClonePlan,
        answers: { 201: Plan },
        problems: { ...absent, 409: "The name or id is taken" },
      },
      async ({ actor, params, body }) =>
        createdJson(await clonePlan(db, actor, params.planId, body)),
    ),
    operation(
      "POST",
      `${path}/:planId/assign`,
      {
        id: "AssignPlan",
        tag: "Trainers",
        access: "trainer",
        summary: "Copy a plan of one's own, with its routines, into the accounts of clients",
        params: PlanId,
        body: Assignment,
        answers: { 201: Assignments },
        problems: {
          404: "It is not one's own, or some do not let the asker write their plans: then nobody gets one",
          409: "A name was taken at the same time",
        },
        recheck: ({ actor, body }) => requireAssignable(db, actor, body.clientIds),
      },
      async ({ actor, params, body }) =>
        createdJson(await assignToClients(db, actor, params.planId, body.clientIds)),
    ),
    operation(
      "DELETE",
      `${path}/:planId`,
      {
        id: "DeletePlan",
        tag,
        access,
        summary: "Delete a plan of one's own; its routines stay",
        params: PlanId,
        staleReason: "plans.stale",
        answers: { 204: null },
        problems: { ...absent, ...stale },
      },
      async ({ actor, params, precondition }) => {
        await removePlan(db, actor, params.planId, precondition);
        return noContent();
      },
    ),
  ];
}
