import type { Db } from "#db/client.ts";
import { type FileMedia, readBody, readFile } from "../http/body.ts";
import { type Precondition, preconditionOf } from "../http/if-match.ts";
import { checkInputs } from "../http/input.ts";
import type { Reply } from "../http/reply.ts";
import { detached } from "../http/request-context.ts";
import { type Access, type Actor, requireAccess } from "../permissions/actor.ts";
import type { Replicas } from "../replicas/replicas.ts";
import type { Exchange } from "./exchange.ts";
import type { Idempotently } from "./idempotency.ts";
import type { HandlerInput, Operation } from "./operation.ts";

export type EvaluationDeps = {
  db: Db;
  /** Absent when there are none. */
  replicas?: Replicas | undefined;
  /** The actor of a request's access cookie; synchronous if cached. Throws `unauthenticated`. */
  authenticate(request: Request): Actor | Promise<Actor>;
  idempotently: Idempotently;
};

/**
 * The reply to a request, in the one order of evaluation: unparsable body, authentication,
 * permission, validation, then the operation's handler. Errors become problems in `fail`. Synchronous
 * as long as nothing has to be awaited, so a cached actor and a cached answer cost no turn of the
 * event loop.
 */
export function evaluate(
  operation: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  deps: EvaluationDeps,
) {
  const { spec } = operation;
  if (spec.body) {
    return readBody(exchange.request, spec.bodyMedia ?? "json", spec.body).then(async (body) =>
      handle(operation, exchange, params, body, await identify(spec, exchange.request, deps), deps),
    );
  }
  if (spec.file) return evaluateWithFile(operation, exchange, params, deps);
  const actor = identify(spec, exchange.request, deps);
  if (!(actor instanceof Promise))
    return handle(operation, exchange, params, undefined, actor, deps);
  return actor.then((found) => handle(operation, exchange, params, undefined, found, deps));
}

/** A file may be large, so it is read only after the permission check. */
async function evaluateWithFile(
  operation: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  deps: EvaluationDeps,
): Promise<Reply> {
  const { spec } = operation;
  const actor = await identify(spec, exchange.request, deps);
  if (actor) requireAccess(spec.access, actor);
  const file = await readFile(exchange.request, spec.file as FileMedia);
  return handle(operation, exchange, params, undefined, actor, deps, file);
}

const NO_FILE = new Uint8Array();
const ALWAYS_MET: Precondition = async () => {};

const identify = (spec: Operation["spec"], request: Request, deps: EvaluationDeps) =>
  spec.access === "anyone" || spec.credentials ? undefined : deps.authenticate(request);

function handle(
  { method, spec, handle: answer }: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  body: unknown,
  actor: Actor | undefined,
  deps: EvaluationDeps,
  file = NO_FILE,
): Reply | Promise<Reply> {
  const { request, requestId } = exchange;
  if (actor) {
    exchange.actor = actor;
    requireAccess(spec.access, actor);
  }
  const inputs = checkInputs(spec, request, params, body);
  const inputOn = (db: Db) =>
    ({
      request,
      requestId,
      actor,
      params: inputs.params,
      query: inputs.query,
      body: inputs.body,
      db,
      precondition: spec.staleReason ? preconditionOf(request, spec.staleReason) : ALWAYS_MET,
      file,
    }) as unknown as HandlerInput<Access, never, never, never>;
  const run = (db: Db) => answer(inputOn(db));
  if (!actor) return run(deps.db);
  if (method === "GET") {
    return spec.readsMayLag && deps.replicas
      ? deps.replicas.read(actor.userId, async (db) => run(db))
      : run(deps.db);
  }
  const key = request.headers.get("idempotency-key");
  const runOnce = () => {
    if (key === null) return run(deps.db);
    const sent = spec.file
      ? new Bun.CryptoHasher("sha256").update(file).digest("hex")
      : inputs.body;
    const repeatable = { userId: actor.userId, key, method, url: request.url, body: sent };
    const { recheck } = spec;
    return deps.idempotently(
      repeatable,
      () => run(deps.db),
      recheck && ((stored) => recheck(inputOn(deps.db), stored)),
    );
  };
  return deps.replicas ? recordingWrite(deps.replicas, actor, runOnce) : runOnce();
}

/**
 * Records that the actor has written, so that their reads wait for it on replicas. Failures are
 * recorded too: a 409 may come from a write of an earlier attempt whose process died before
 * recording it.
 */
async function recordingWrite(
  replicas: Replicas,
  { userId }: Actor,
  run: () => Reply | Promise<Reply>,
): Promise<Reply> {
  try {
    return await run();
  } finally {
    await detached(() => replicas.recordWrite(userId));
  }
}
