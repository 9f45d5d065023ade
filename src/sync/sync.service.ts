import type { Db } from "#db/client.ts";
import { isDatabaseUnavailable, refusalOf } from "#db/errors.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import type { InvalidationMessage, Invalidations } from "../cache/invalidations.ts";
import { answerToBroken } from "../http/constraint-errors.ts";
import { checkInput } from "../http/input.ts";
import { faultsOf, Uuid } from "../http/shapes.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockOwn } from "../permissions/parent-locks.queries.ts";
import { checkConstraintsAtOnce, listKnown, lockSync } from "./changes.queries.ts";
import { KINDS, type Kind, SyncItem } from "./sync.schemas.ts";
import { SYNCED_KINDS, type SyncDeps } from "./synced-kinds.service.ts";

/** What became of one change; `version` is that of what is stored now, null when it is gone. */
type Outcome =
  | { status: "applied" | "unchanged"; version: number | null }
  | { status: "conflict"; current: Stored | undefined }
  | { status: "refused"; current: Stored | undefined; problem: AppError };

/** What is stored of a thing, as its owner reads it. */
type Stored = { version: number; json: string };

/** Called with an unexpected error of one change; the rest of the batch continues. */
type OnFault = (error: unknown, item: SyncItem) => void;

/**
 * The results of a batch as JSON; `showsStored` if they contain stored things, which may belong to
 * another user.
 */
export type SyncedBatch = { json: string; showsStored: boolean };

type Batch = {
  tx: Db;
  actor: Actor;
  /** The things that the actor has or had, as `kind id`. */
  known: Set<string>;
  /**
   * By id, the version that the device knows: the one at the start of the batch, plus one for each
   * change of the thing itself. The stored version may be higher, if a change of another thing in
   * the batch raised it.
   */
  deviceVersions: Map<string, number>;
  invalidationMessage: InvalidationMessage | undefined;
  onFault: OnFault;
};

/**
 * Applies a device's changes in their order and in one transaction, and returns the result of each
 * as JSON. Each change has its own savepoint: one that conflicts or is refused changes nothing, and
 * the others continue. Only an error that would fail every change (no connection, a deadlock, a
 * time limit) fails the batch. Sending a batch again, whole or in part, changes nothing: what is
 * already stored is `unchanged`, whatever its version. Each change has the permissions of the
 * operations of its kind. It is no conflict if one change of the batch raises the version of a
 * thing that another changes. Takes a lock and three statements for the batch, and for each change
 * those of the operation and one, or two if it is refused.
 */
export async function syncBatch(
  { db, invalidations, onFault }: { db: Db; invalidations: Invalidations; onFault: OnFault },
  actor: Actor,
  given: unknown[],
): Promise<SyncedBatch> {
  const changes = given.map(readItem);
  const items = changes.filter((change): change is SyncItem => !("problem" in change));
  const work = (invalidationMessage?: InvalidationMessage) =>
    db.transaction(async (tx) => {
      // It may run again, and find that there is nothing to announce.
      if (invalidationMessage) invalidationMessage.isSent = false;
      await lockSync(tx, actor.userId);
      await checkConstraintsAtOnce(tx);
      const known = await listKnown(tx, actor.userId, items);
      const ids = items.map(({ id }) => id);
      const deviceVersions = new Map(
        (await lockOwn(tx, actor.userId, ids)).map(({ id, version }) => [id, version]),
      );
      const results: string[] = [];
      let showsStored = false;
      for (const change of changes) {
        const outcome: Outcome =
          "problem" in change
            ? { status: "refused", current: undefined, problem: change.problem }
            : await settle(
                { tx, actor, known, deviceVersions, invalidationMessage, onFault },
                change,
              );
        if (outcome.status === "applied") known.add(nameOf(change));
        if (!("problem" in change)) noteVersion(deviceVersions, change, outcome);
        showsStored ||= "current" in outcome && outcome.current !== undefined;
        results.push(resultJson(change, outcome));
      }
      return { json: `{"results":[${results.join(",")}]}`, showsStored };
    });
  const hasExercises = items.some(({ kind }) => kind === "exercise");
  return hasExercises ? invalidations.publish({ exercisesOf: actor.userId }, work) : work();
}

/**
 * Updates the version that the device knows after a change. An unchanged thing counts only if the
 * batch has locked it.
 */
function noteVersion(
  deviceVersions: Map<string, number>,
  { id, baseVersion }: SyncItem,
  { status }: Outcome,
): void {
  if (status === "applied" || (status === "unchanged" && deviceVersions.has(id))) {
    deviceVersions.set(id, (baseVersion ?? 0) + 1);
  }
}

/** The kind and id of a change, where it names them. */
type Named = { kind: Kind | null; id: string | null };
type Unreadable = Named & { problem: AppError };

/**
 * A change checked except for its state, which the schema of its kind checks later; or its problem.
 */
function readItem(given: unknown): SyncItem | Unreadable {
  try {
    return checkInput<SyncItem>(SyncItem, given);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { kind, id } = (given ?? {}) as Record<string, unknown>;
    const knownKind = KINDS.find((name) => name === kind) ?? null;
    return {
      kind: knownKind,
      id: faultsOf(Uuid, id).length === 0 ? (id as string) : null,
      problem: error,
    };
  }
}

/** Whether the device's change is based on the stored `version`. */
const isBase = (
  { deviceVersions }: Batch,
  { id, baseVersion }: SyncItem,
  version: number,
): boolean => version === baseVersion || deviceVersions.get(id) === baseVersion;

const nameOf = ({ kind, id }: Named) => `${kind} ${id}`;

async function settle(batch: Batch, item: SyncItem): Promise<Outcome> {
  try {
    return await (item.state === null
      ? remove(batch, item)
      : put(batch, item, item.state as Record<string, unknown>));
  } catch (error) {
    if (failsEveryChange(error)) throw error;
    const problem = problemWith(error, () => batch.onFault(error, item));
    return { status: "refused", current: await findStored(batch, item.kind, item.id), problem };
  }
}

function problemWith(error: unknown, onFault: () => void): AppError {
  if (error instanceof AppError) return error;
  const broken = answerToBroken(error);
  if (!broken?.isListed) onFault();
  return broken?.answer ?? internal();
}

const internal = () => new AppError("unavailable", "internal", "Something went wrong on our side");

/**
 * Whether `error` has nothing to do with the change at hand: the batch cannot continue, and can be
 * sent again.
 */
function failsEveryChange(error: unknown): boolean {
  if (isDatabaseUnavailable(error) || refusalOf(error)) return true;
  // The transaction can do nothing any more (class 25).
  if (postgresError(error)?.code.startsWith("25")) return true;
  return expectedOf(error)?.kind === "unauthenticated";
}

const expectedOf = (error: unknown): AppError | undefined =>
  error instanceof AppError ? error : answerToBroken(error)?.answer;

async function put(batch: Batch, item: SyncItem, state: Record<string, unknown>): Promise<Outcome> {
  const { kind, id, baseVersion } = item;
  const { create, replace, get } = SYNCED_KINDS[kind];
  let stored: Stored | undefined;
  try {
    return await attempt(batch, async (deps) => {
      const written = await replace(
        deps,
        batch.actor,
        id,
        structuredClone(state),
        async (version) => {
          stored = { version, json: await get(deps.db, batch.actor, id) };
        },
      );
      const { version, json } = stored as Stored;
      if (Bun.deepEquals(contentOf(written), contentOf(json)))
        return { status: "unchanged", version };
      if (!isBase(batch, item, version)) return { status: "conflict", current: stored };
      return { status: "applied", version: versionOf(written) };
    });
  } catch (error) {
    if (!isAbsence(error, stored)) return stale(batch, item, stored, error);
  }
  if (batch.known.has(nameOf(item)) || baseVersion !== null)
    return { status: "conflict", current: undefined };
  return attempt(batch, async (deps) => {
    return { status: "applied", version: versionOf(await create(deps, batch.actor, id, state)) };
  });
}

async function remove(batch: Batch, item: SyncItem): Promise<Outcome> {
  const { kind, id } = item;
  const { remove, get } = SYNCED_KINDS[kind];
  let stored: Stored | undefined;
  try {
    return await attempt(batch, async (deps) => {
      await remove(deps, batch.actor, id, async (version) => {
        stored = { version, json: await get(deps.db, batch.actor, id) };
      });
      if (!stored || !isBase(batch, item, stored.version))
        return { status: "conflict", current: stored };
      return { status: "applied", version: null };
    });
  } catch (error) {
    if (!isAbsence(error, stored)) return stale(batch, item, stored, error);
    // It belongs to another user, who shares it.
    if (await findStored(batch, kind, id)) throw error;
    return { status: "unchanged", version: null };
  }
}

/** Whether `error` says that there is no such thing: it was never looked at. */
const isAbsence = (error: unknown, stored: Stored | undefined): boolean =>
  stored === undefined && error instanceof AppError && error.kind === "not_found";

/** A conflict if the thing has changed since the device read it; otherwise throws the error. */
function stale(batch: Batch, item: SyncItem, stored: Stored | undefined, error: unknown): Outcome {
  if (
    stored &&
    !isBase(batch, item, stored.version) &&
    !failsEveryChange(error) &&
    expectedOf(error)
  ) {
    return { status: "conflict", current: stored };
  }
  throw error;
}

/** The thing as the actor may read it now; undefined if there is none that they may read. */
async function findStored(
  { tx, actor }: Batch,
  kind: Kind,
  id: string,
): Promise<Stored | undefined> {
  try {
    const json = await tx.transaction((inner) => SYNCED_KINDS[kind].get(inner, actor, id));
    return json === "null" ? undefined : { version: versionOf(json), json };
  } catch (error) {
    if (error instanceof AppError && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** Thrown to roll back a savepoint whose outcome is known. */
const UNDO = new Error("rolled back on purpose");

/** Runs `work` in a savepoint, which is rolled back unless its outcome is that it was applied. */
async function attempt(
  { tx, invalidationMessage }: Batch,
  work: (deps: SyncDeps) => Promise<Outcome>,
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  const mine = { text: invalidationMessage?.text ?? "", isSent: false };
  try {
    await tx.transaction(async (inner) => {
      // The batch announces once; what is rolled back was never sent.
      outcome = await work({
        db: inner,
        invalidations: { publish: (_notice, commit) => commit(mine) },
      });
      if (outcome.status !== "applied") throw UNDO;
    });
    if (invalidationMessage && mine.isSent) invalidationMessage.isSent = true;
  } catch (error) {
    if (error !== UNDO) throw error;
  }
  return outcome as Outcome;
}

const versionOf = (json: string): number => (JSON.parse(json) as { version: number }).version;

/** A thing without what every write changes. */
function contentOf(json: string): object {
  const {
    version: _version,
    updatedAt: _updatedAt,
    ...content
  } = JSON.parse(json) as Record<string, unknown>;
  return content;
}

function resultJson({ kind, id }: Named, outcome: Outcome): string {
  const { status } = outcome;
  const current = "current" in outcome ? outcome.current : undefined;
  const version = "version" in outcome ? outcome.version : (current?.version ?? null);
  const problem = status === "refused" ? problemJson(outcome.problem) : "null";
  const head = JSON.stringify({ kind, id, status, version }).slice(0, -1);
  return `${head},"current":${current?.json ?? "null"},"problem":${problem}}`;
}

const problemJson = ({ reason, message, errors = [] }: AppError): string =>
  JSON.stringify({ code: reason, detail: message, errors });
