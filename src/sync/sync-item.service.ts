import type { Db } from "#db/client.ts";
import { isDatabaseUnavailable, refusalOf } from "#db/errors.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import type { InvalidationMessage } from "../cache/invalidations.ts";
import type { WriteDeps } from "../exercises/exercise-writes.service.ts";
import { answerToBroken } from "../http/constraint-errors.ts";
import type { Actor } from "../permissions/actor.ts";
import type { Kind, SyncItem } from "./sync.schemas.ts";
import { SYNCED_KINDS } from "./synced-kinds.service.ts";

/**
 * The result of one change. `version` is the stored version afterwards, null if the entity is
 * deleted.
 */
export type Outcome =
  | { status: "applied" | "unchanged"; version: number | null }
  | { status: "conflict"; current: Stored | undefined }
  | { status: "refused"; current: Stored | undefined; problem: AppError };

/** A stored entity as its owner reads it. */
type Stored = { version: number; json: string };

/** Called with an unexpected error of one change; the rest of the batch continues. */
export type OnFault = (error: unknown, item: SyncItem) => void;

export type Batch = {
  tx: Db;
  actor: Actor;
  /** The keys (`entityKey`) of the entities that the actor has or had. */
  known: Set<string>;
  /**
   * The version that the device knows, by id: the one at the start of the batch, plus one for each
   * change of the entity itself. The stored version may be higher, if a change of another entity in
   * the batch raised it.
   */
  deviceVersions: Map<string, number>;
  invalidationMessage: InvalidationMessage | undefined;
  onFault: OnFault;
};

/** The kind and id of a change; null if the change does not have valid ones. */
export type EntityRef = { kind: Kind | null; id: string | null };

/** Identifies an entity in `known`, in the form of `listKnown`. */
export const entityKey = ({ kind, id }: EntityRef) => `${kind} ${id}`;

/**
 * Applies one change in a savepoint. Throws only an error that would fail every change of the
 * batch.
 */
export async function applyItem(batch: Batch, item: SyncItem): Promise<Outcome> {
  try {
    return await (item.state === null
      ? remove(batch, item)
      : upsert(batch, item, item.state as Record<string, unknown>));
  } catch (error) {
    if (failsEveryChange(error)) throw error;
    const problem = toProblem(error, () => batch.onFault(error, item));
    return { status: "refused", current: await findStored(batch, item.kind, item.id), problem };
  }
}

function toProblem(error: unknown, onFault: () => void): AppError {
  if (error instanceof AppError) return error;
  const broken = answerToBroken(error);
  if (!broken?.isListed) onFault();
  return (
    broken?.answer ?? new AppError("unavailable", "internal", "Something went wrong on our side")
  );
}

/**
 * Whether `error` has nothing to do with the change at hand: the batch cannot continue, and can be
 * sent again.
 */
function failsEveryChange(error: unknown): boolean {
  if (isDatabaseUnavailable(error) || refusalOf(error)) return true;
  // Class 25: the transaction cannot execute statements any more.
  if (postgresError(error)?.code.startsWith("25")) return true;
  return toAppError(error)?.kind === "unauthenticated";
}

const toAppError = (error: unknown): AppError | undefined =>
  error instanceof AppError ? error : answerToBroken(error)?.answer;

/** Whether the device's change is based on the stored `version`. */
const isBasedOn = (
  { deviceVersions }: Batch,
  { id, baseVersion }: SyncItem,
  version: number,
): boolean => version === baseVersion || deviceVersions.get(id) === baseVersion;

async function upsert(
  batch: Batch,
  item: SyncItem,
  state: Record<string, unknown>,
): Promise<Outcome> {
  const { kind, id, baseVersion } = item;
  const { actor } = batch;
  const { create, replace, get } = SYNCED_KINDS[kind];
  let stored: Stored | undefined;
  try {
    return await inSavepoint(batch, async (deps) => {
      const written = await replace(deps, actor, id, structuredClone(state), async (version) => {
        stored = { version, json: await get(deps.db, actor, id) };
      });
      const { version, json } = stored as Stored;
      if (Bun.deepEquals(contentOf(written), contentOf(json)))
        return { status: "unchanged", version };
      if (!isBasedOn(batch, item, version)) return { status: "conflict", current: stored };
      return { status: "applied", version: versionOf(written) };
    });
  } catch (error) {
    if (!isMissing(error, stored)) return conflictOrThrow(batch, item, stored, error);
  }
  if (batch.known.has(entityKey(item)) || baseVersion !== null)
    return { status: "conflict", current: undefined };
  return inSavepoint(batch, async (deps) => {
    return { status: "applied", version: versionOf(await create(deps, actor, id, state)) };
  });
}

async function remove(batch: Batch, item: SyncItem): Promise<Outcome> {
  const { kind, id } = item;
  const { remove, get } = SYNCED_KINDS[kind];
  let stored: Stored | undefined;
  try {
    return await inSavepoint(batch, async (deps) => {
      await remove(deps, batch.actor, id, async (version) => {
        stored = { version, json: await get(deps.db, batch.actor, id) };
      });
      if (!stored || !isBasedOn(batch, item, stored.version))
        return { status: "conflict", current: stored };
      return { status: "applied", version: null };
    });
  } catch (error) {
    if (!isMissing(error, stored)) return conflictOrThrow(batch, item, stored, error);
    // The entity belongs to another user and is shared.
    if (await findStored(batch, kind, id)) throw error;
    return { status: "unchanged", version: null };
  }
}

/** Whether `error` says that the entity does not exist. */
const isMissing = (error: unknown, stored: Stored | undefined): boolean =>
  stored === undefined && error instanceof AppError && error.kind === "not_found";

/** A conflict if the entity has changed since the device read it; otherwise throws the error. */
function conflictOrThrow(
  batch: Batch,
  item: SyncItem,
  stored: Stored | undefined,
  error: unknown,
): Outcome {
  const isStale = stored && !isBasedOn(batch, item, stored.version);
  if (isStale && !failsEveryChange(error) && toAppError(error))
    return { status: "conflict", current: stored };
  throw error;
}

/** The entity as the actor may read it now; undefined if it does not exist for them. */
async function findStored(
  { tx, actor }: Batch,
  kind: Kind,
  id: string,
): Promise<Stored | undefined> {
  try {
    const json = await tx.transaction((savepoint) => SYNCED_KINDS[kind].get(savepoint, actor, id));
    return json === "null" ? undefined : { version: versionOf(json), json };
  } catch (error) {
    if (error instanceof AppError && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** Thrown to roll back a savepoint whose outcome is known. */
const ROLLBACK = new Error("rolled back on purpose");

/** Runs `work` in a savepoint, which is rolled back unless the outcome is `applied`. */
async function inSavepoint(
  { tx, invalidationMessage }: Batch,
  work: (deps: WriteDeps) => Promise<Outcome>,
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  const savepointMessage = { text: invalidationMessage?.text ?? "", isSent: false };
  try {
    await tx.transaction(async (savepoint) => {
      // The batch publishes once. A message in a savepoint that is rolled back is never sent.
      outcome = await work({
        db: savepoint,
        invalidations: { publish: (_invalidation, commit) => commit(savepointMessage) },
      });
      if (outcome.status !== "applied") throw ROLLBACK;
    });
    if (invalidationMessage && savepointMessage.isSent) invalidationMessage.isSent = true;
  } catch (error) {
    if (error !== ROLLBACK) throw error;
  }
  return outcome as Outcome;
}

const versionOf = (json: string): number => (JSON.parse(json) as { version: number }).version;

/** An entity without the fields that every write changes. */
function contentOf(json: string): object {
  const { version: _, updatedAt: __, ...content } = JSON.parse(json) as Record<string, unknown>;
  return content;
}
