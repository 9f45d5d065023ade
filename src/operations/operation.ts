import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { Db } from "#db/client.ts";
import type { BodyMedia, FileMedia } from "../http/body.ts";
import type { Reply } from "../http/reply.ts";
import type { Access, Actor } from "../permissions/actor.ts";

type Shape = TSchema | undefined;
type Read<S extends Shape> = S extends TSchema ? Static<S> : undefined;

/**
 * What a handler is given: inputs that were checked, and an actor unless the operation is open to
 * anyone.
 */
export type HandlerInput<A extends Access, P extends Shape, Q extends Shape, B extends Shape> = {
  request: Request;
  requestId: string;
  actor: A extends "anyone" ? undefined : Actor;
  params: Read<P>;
  query: Read<Q>;
  body: Read<B>;
  /**
   * What to read from: the primary, or a replica's transaction where the operation says
   * `readsMayLag`.
   */
  db: Db;
  /** Of an operation that takes one; else empty. */
  file: Uint8Array<ArrayBuffer>;
};

/**
 * What an operation promises; OpenAPI is made of it, and nothing of an operation is said anywhere
 * else.
 */
export type Spec<A extends Access, P extends Shape, Q extends Shape, B extends Shape> = {
  id: string;
  tag: string;
  summary: string;
  access: A;
  /**
   * The cookies that sign in to this operation, any of them, if not the access cookie alone; the
   * handler reads them.
   */
  credentials?: Credential[];
  /**
   * True if its work, once begun, is finished even when the client hangs up: it ends somebody's
   * access, or counts or records an attempt. docs/security.md lists these operations.
   */
  isDetached?: boolean;
  params?: P;
  query?: Q;
  body?: B;
  bodyMedia?: BodyMedia;
  /** Takes a file as its body, which is read once the asker is known to be allowed to. */
  file?: FileMedia;
  /** The shape of each success by status; null for an answer without a body. */
  answers: Record<number, TSchema | null>;
  /** Media type of the success when it is not JSON. */
  answerMedia?: string;
  /** True when the answer carries an ETag, so that 304 is possible. */
  isTagged?: boolean;
  /**
   * True when the handler only reads, by the `db` that it is given, and nobody is wronged when it
   * overlooks what others wrote a moment ago: no permission is read, and nothing of the answer is
   * remembered. The asker's own writes are there.
   */
  readsMayLag?: A extends "anyone" ? false : boolean;
  /**
   * True when what is answered at once comes from the catalog's memory, and depends on nothing but
   * who asks, the address and the headers that choose a form: who asks again in the same words is
   * then answered shortly (ADR 0028).
   */
  isCached?: boolean;
  /**
   * Checks the actor's present permission: throws as the operation itself would. Called with the
   * body of the stored answer before that is replayed under its Idempotency-Key. For operations
   * whose permission others may withdraw.
   */
  recheck?: (asked: HandlerInput<A, P, Q, B>, body: string) => Promise<void>;
  /**
   * What everybody is always answered: where a proxy gives request ids, Bun sends it without asking
   * us (ADR 0023).
   */
  constant?: Reply;
  /**
   * The problems particular to this operation, `status → what it means`; the general ones are
   * added.
   */
  problems?: Record<number, string>;
};

/** A cookie that identifies the user. */
export type Credential = "access_token" | "refresh_token";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export type Operation = {
  method: Method;
  /** The whole path, with `:name` for parameters. */
  path: string;
  spec: Spec<Access, TObject | undefined, TObject | undefined, Shape>;
  handle(asked: HandlerInput<Access, Shape, Shape, Shape>): Reply | Promise<Reply>;
};

/** One operation of the API: where it is, what it promises, and the function that answers it. */
export function operation<
  A extends Access,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends Shape = undefined,
>(
  method: Method,
  path: string,
  spec: Spec<A, P, Q, B>,
  handle: (asked: HandlerInput<A, P, Q, B>) => Reply | Promise<Reply>,
): Operation {
  return { method, path, spec, handle } as unknown as Operation;
}
