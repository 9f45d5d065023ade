import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { Db } from "#db/client.ts";
import type { BodyMedia, FileMedia } from "../http/body.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Reply } from "../http/reply.ts";
import type { Access, Actor } from "../permissions/actor.ts";

type Shape = TSchema | undefined;
type Read<S extends Shape> = S extends TSchema ? Static<S> : undefined;

/** The input of a handler: validated inputs, and an actor unless the operation is public. */
export type HandlerInput<A extends Access, P extends Shape, Q extends Shape, B extends Shape> = {
  request: Request;
  requestId: string;
  actor: A extends "anyone" ? undefined : Actor;
  params: Read<P>;
  query: Read<Q>;
  body: Read<B>;
  /** The primary; for an operation with `readsMayLag`, possibly a transaction on a replica. */
  db: Db;
  /** The precondition of If-Match, for an operation with `staleReason`; always met for others. */
  precondition: Precondition;
  /** The body of an operation that takes a file; empty for all others. */
  file: Uint8Array<ArrayBuffer>;
};

/**
 * Everything there is to say about an operation. Access control, validation and the OpenAPI
 * document all use it, so they cannot disagree.
 */
export type Spec<A extends Access, P extends Shape, Q extends Shape, B extends Shape> = {
  id: string;
  tag: string;
  summary: string;
  access: A;
  /** The cookies that sign in to this operation, if not the access cookie; the handler reads them. */
  credentials?: Credential[];
  /**
   * True if the operation completes even when the client hangs up, because it ends access, or counts
   * or records an attempt. docs/security.md lists these operations.
   */
  isDetached?: boolean;
  params?: P;
  query?: Q;
  body?: B;
  bodyMedia?: BodyMedia;
  /** For a body that is a file. It is read only after the actor's permission was checked. */
  file?: FileMedia;
  /** The schema of each successful response by status; null for one without a body. */
  answers: Record<number, TSchema | null>;
  /** The media type of successful responses, if it is not JSON. */
  answerMedia?: string;
  /** The error code if If-Match does not match (412). Operations with one get a `precondition`. */
  staleReason?: string;
  /** True if responses carry an ETag, so that 304 is possible. */
  isTagged?: boolean;
  /**
   * True if the handler only reads, through its `db`, and may miss recent writes of other users: it
   * checks no permission, and its answer is not cached. It always sees the actor's own writes.
   */
  readsMayLag?: A extends "anyone" ? false : boolean;
  /**
   * True if synchronous answers come from the catalog cache, and depend only on the actor, the URL
   * and the headers that select a representation. Repeat requests then take a fast path (ADR 0028).
   */
  isCached?: boolean;
  /**
   * Throws like the operation itself if the actor no longer has permission. Called with the body of
   * the stored response before it is replayed under its Idempotency-Key. For operations whose
   * permission other users may withdraw.
   */
  recheck?: (input: HandlerInput<A, P, Q, B>, body: string) => Promise<void>;
  /**
   * The response to every request, if it is constant. Where a proxy assigns request ids, Bun sends
   * it without calling the application (ADR 0023).
   */
  constant?: Reply;
  /** Descriptions of the problems that only this operation returns, by status. */
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
  handle(input: HandlerInput<Access, Shape, Shape, Shape>): Reply | Promise<Reply>;
};

/** An operation of the API: its method and path, its specification, and its handler. */
export function operation<
  A extends Access,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends Shape = undefined,
>(
  method: Method,
  path: string,
  spec: Spec<A, P, Q, B>,
  handle: (input: HandlerInput<A, P, Q, B>) => Reply | Promise<Reply>,
): Operation {
  return { method, path, spec, handle } as unknown as Operation;
}
