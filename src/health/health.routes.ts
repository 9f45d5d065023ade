import { Type } from "@sinclair/typebox";
import { buildVersion } from "#lib/build-info.ts";
import { ok, plain } from "../http/reply.ts";
import { choice, strict } from "../http/shapes.ts";
import { type Operation, operation } from "../operations/operation.ts";
import type { Health } from "./health.ts";

const tag = "System";

export const Readiness = strict({
  database_status: choice(["online", "offline"]),
  cache_status: choice(["online", "offline"]),
  app: Type.String({ maxLength: 20 }),
  version: Type.String({ maxLength: 64 }),
});
const Text = Type.String({ maxLength: 10 });
const PONG = plain("OK");

export function healthRoutes({
  health,
  isDraining,
}: {
  health: Health;
  isDraining: () => boolean;
}): Operation[] {
  const status = (isOnline: boolean) => (isOnline ? "online" : "offline");
  const readiness = () => {
    const isReady = health.isDatabaseOnline() && health.isSchemaCurrent() && !isDraining();
    const state = {
      database_status: status(health.isDatabaseOnline()),
      cache_status: status(health.isCacheOnline()),
      app: "IronTrack",
      version: buildVersion(),
    };
    const answer = ok(state);
    return isReady
      ? answer
      : { ...answer, status: 503, headers: { ...answer.headers, "retry-after": "1" } };
  };
  const ready = (path: string, id: string) =>
    operation(
      "GET",
      path,
      {
        id,
        tag,
        summary: "Whether requests that need the database can be answered",
        access: "anyone",
        answers: { 200: Readiness, 503: Readiness },
      },
      readiness,
    );
  return [
    operation(
      "GET",
      "/ping",
      {
        id: "Ping",
        tag,
        summary: "Answer OK, touching nothing",
        access: "anyone",
        constant: PONG,
        answers: { 200: Text },
        answerMedia: "text/plain",
      },
      () => PONG,
    ),
    operation(
      "GET",
      "/health/live",
      {
        id: "GetLiveness",
        tag,
        summary: "Whether the process runs",
        access: "anyone",
        answers: { 200: Text },
        answerMedia: "text/plain",
      },
      () => plain("OK"),
    ),
    ready("/health/ready", "GetReadiness"),
    ready("/health", "GetHealth"),
  ];
}
