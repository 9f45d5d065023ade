import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { InvalidationMessage, Invalidations } from "../cache/invalidations.ts";
import { checkInput } from "../http/input.ts";
import { faultsOf, Uuid } from "../http/shapes.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockOwnParents } from "../permissions/parent-locks.queries.ts";
import { checkConstraintsImmediately, listKnown, lockSync } from "./changes.queries.ts";
import { KINDS, SyncItem } from "./sync.schemas.ts";
import {
  applyItem,
  type EntityRef,
  entityKey,
  type OnFault,
  type Outcome,
} from "./sync-item.service.ts";

/**
 * The results of a batch as JSON; `showsStored` if they contain stored entities, which may belong
 * to another user.
 */
export type SyncedBatch = { json: string; showsStored: boolean };

/**
 * Applies a device's changes in their order and in one transaction, and returns the result of each
 * as JSON. Each change has its own savepoint: one that conflicts or is refused changes nothing, and
 * the others continue. Only an error that would fail every change (no connection, a deadlock, a
 * time limit) fails the batch. Sending a batch again, whole or in part, changes nothing: what is
 * already stored is `unchanged`, whatever its version. Each change has the permissions of the
 * operations of its kind. It is no conflict if one change of the batch raises the version of an
 * entity that another changes. Takes a lock and three statements for the batch, and for each change
 * those of the operation and one, or two if it is refused.
 */
export async function syncBatch(
  { db, invalidations, onFault }: { db: Db; invalidations: Invalidations; onFault: OnFault },
  actor: Actor,
  input: unknown[],
): Promise<SyncedBatch> {
  const changes = input.map(readItem);
  const items = changes.filter((change): change is SyncItem => !("problem" in change));
  const work = (invalidationMessage?: InvalidationMessage) =>
    db.transaction(async (tx) => {
      // The transaction may be retried, and then change nothing.
      if (invalidationMessage) invalidationMessage.isSent = false;
      await lockSync(tx, actor.userId);
      await checkConstraintsImmediately(tx);
      const known = await listKnown(tx, actor.userId, items);
      const ids = items.map(({ id }) => id);
      const locked = await lockOwnParents(tx, actor.userId, ids);
      const deviceVersions = new Map(locked.map(({ id, version }) => [id, version]));
      const batch = { tx, actor, known, deviceVersions, invalidationMessage, onFault };
      const results: string[] = [];
      let showsStored = false;
      for (const change of changes) {
        let outcome: Outcome;
        if ("problem" in change) {
          outcome = { status: "refused", current: undefined, problem: change.problem };
        } else {
          outcome = await applyItem(batch, change);
          if (outcome.status === "applied") known.add(entityKey(change));
          updateDeviceVersion(deviceVersions, change, outcome);
        }
        showsStored ||= "current" in outcome && outcome.current !== undefined;
        results.push(resultJson(change, outcome));
      }
      return { json: `{"results":[${results.join(",")}]}`, showsStored };
    });
  const hasExercises = items.some(({ kind }) => kind === "exercise");
  return hasExercises ? invalidations.publish({ exercisesOf: actor.userId }, work) : work();
}

/**
 * Updates the version that the device knows after a change. An unchanged entity counts only if the
 * batch has locked it.
 */
function updateDeviceVersion(
  deviceVersions: Map<string, number>,
  { id, baseVersion }: SyncItem,
  { status }: Outcome,
): void {
  if (status === "applied" || (status === "unchanged" && deviceVersions.has(id))) {
    deviceVersions.set(id, (baseVersion ?? 0) + 1);
  }
}

/**
 * A change checked except for its state, which the schema of its kind checks later; or its problem.
 */
function readItem(input: unknown): SyncItem | (EntityRef & { problem: AppError }) {
  try {
    return checkInput<SyncItem>(SyncItem, input);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { kind, id } = (input ?? {}) as Record<string, unknown>;
    return {
      kind: KINDS.find((name) => name === kind) ?? null,
      id: faultsOf(Uuid, id).length === 0 ? (id as string) : null,
      problem: error,
    };
  }
}

function resultJson({ kind, id }: EntityRef, outcome: Outcome): string {
  const { status } = outcome;
  const current = "current" in outcome ? outcome.current : undefined;
  const version = "version" in outcome ? outcome.version : (current?.version ?? null);
  const problem = status === "refused" ? problemJson(outcome.problem) : "null";
  const head = JSON.stringify({ kind, id, status, version }).slice(0, -1);
  return `${head},"current":${current?.json ?? "null"},"problem":${problem}}`;
}

const problemJson = ({ reason, message, errors = [] }: AppError): string =>
  JSON.stringify({ code: reason, detail: message, errors });
