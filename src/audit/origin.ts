import type { Actor } from "../permissions/actor.ts";

/** Where a change comes from: a signed-in user, an operator at the command line, or unknown. */
export type Origin = {
  actor: "user" | "operator" | "nobody";
  userId: string | null;
  address: string | null;
  requestId: string | null;
};

export const OPERATOR: Origin = { actor: "operator", userId: null, address: null, requestId: null };

export type OriginDeps = {
  /** The address that a request came from; null if no trusted proxy reports it. */
  addressOf(request: Request): string | null;
};

/** The origin of the changes that a request makes. */
export const originOf = (
  { addressOf }: OriginDeps,
  { request, requestId, actor }: { request: Request; requestId: string; actor: Actor | undefined },
): Origin => ({
  actor: actor ? "user" : "nobody",
  userId: actor?.userId ?? null,
  address: addressOf(request),
  requestId,
});
