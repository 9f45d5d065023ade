import { type Api, expectStatus } from "./harness.ts";

/**
 * A device's copy of a workout: its sets (repetitions by id), and the version and sets from which it
 * was edited.
 */
type Copy = {
  baseVersion: number | null;
  baseSets: Map<string, number>;
  sets: Map<string, number>;
  isChanged: boolean;
};
type Item = { kind: "workout"; id: string; baseVersion: number | null; state: object | null };
export type Stored = {
  id: string;
  version: number;
  exercises: { sets: { id: string; reps: number }[] }[];
};
type Result = { id: string; status: string; version: number | null; current: Stored | null };

export const setsOf = (workout: Stored) =>
  new Map(workout.exercises.flatMap(({ sets }) => sets.map(({ id, reps }) => [id, reps] as const)));

/**
 * A client that edits its own copies offline, and merges sets by their ids when it learns of changes
 * by other devices.
 */
export class Device {
  readonly copies = new Map<string, Copy>();
  readonly #removed = new Set<string>();
  readonly sentBefore: Item[][] = [];
  #cursor: string | undefined;

  readonly #api: Api;
  readonly #as: string;
  readonly #entryOf: (workoutId: string) => string;
  readonly #deleted: Set<string>;

  /**
   * `as` is the cookie of its user; `deleted` collects the workouts whose deletion the server
   * reported as applied.
   */
  constructor(api: Api, as: string, entryOf: (workoutId: string) => string, deleted: Set<string>) {
    this.#api = api;
    this.#as = as;
    this.#entryOf = entryOf;
    this.#deleted = deleted;
  }

  start(id: string) {
    this.copies.set(id, {
      baseVersion: null,
      baseSets: new Map(),
      sets: new Map(),
      isChanged: true,
    });
  }

  addSet(workoutId: string, setId: string, reps: number) {
    const copy = this.copies.get(workoutId);
    copy?.sets.set(setId, reps);
    if (copy) copy.isChanged = true;
    return copy !== undefined;
  }

  removeSet(workoutId: string, setId: string) {
    const copy = this.copies.get(workoutId);
    if (!copy?.sets.delete(setId)) return false;
    this.#removed.add(setId);
    copy.isChanged = true;
    return true;
  }

  batch(): Item[] {
    const changed = [...this.copies].filter(([, copy]) => copy.isChanged);
    return changed.map(([id, copy]) => {
      const sets = [...copy.sets].map(([setId, reps]) => ({ id: setId, reps }));
      const exercises = [{ id: this.#entryOf(id), exerciseName: "Press", mode: "reps", sets }];
      const state = { startedAt: "2026-01-05T10:00:00Z", timeZone: "UTC", exercises };
      return { kind: "workout", id, baseVersion: copy.baseVersion, state };
    });
  }

  /** Sends `items`, and applies the answer unless it is lost. */
  async send(items: Item[], isAnswerLost: boolean) {
    if (items.length === 0) return;
    const answer = await this.#api.post("/api/v1/sync", { as: this.#as, body: { changes: items } });
    expectStatus(answer, 200);
    const results = answer.json.results as Result[];
    for (const [index, result] of results.entries()) {
      const item = items[index] as Item;
      if (result.status === "refused") throw new Error(`Refused: ${answer.text}`);
      if (item.state === null && result.status === "applied") this.#deleted.add(result.id);
      if (!isAnswerLost) this.#apply(result, item);
    }
  }

  #apply({ id, status, version, current }: Result, item: Item) {
    const copy = this.copies.get(id);
    if (!copy) return;
    if (status === "conflict") {
      if (current) this.#merge(id, current);
      else this.copies.delete(id);
      return;
    }
    if (item.state === null) {
      this.copies.delete(id);
      return;
    }
    const { exercises } = item.state as Stored;
    copy.baseVersion = version;
    copy.baseSets = setsOf({ exercises } as Stored);
    copy.isChanged = !Bun.deepEquals(copy.sets, copy.baseSets);
  }

  /** Takes the sets of the server, and keeps what this device has added or removed since. */
  #merge(id: string, stored: Stored) {
    const storedSets = setsOf(stored);
    const copy = this.copies.get(id);
    const merged = new Map([...storedSets].filter(([setId]) => !this.#removed.has(setId)));
    for (const [setId, reps] of copy?.sets ?? [])
      if (!copy?.baseSets.has(setId)) merged.set(setId, reps);
    const isChanged = !Bun.deepEquals(merged, storedSets);
    this.copies.set(id, {
      baseVersion: stored.version,
      baseSets: storedSets,
      sets: merged,
      isChanged,
    });
  }

  /**
   * Deletes a workout that it has seen on the server; the workout stays if other devices have
   * changed it since.
   */
  async remove(id: string, isAnswerLost: boolean) {
    const baseVersion = this.copies.get(id)?.baseVersion;
    if (baseVersion === undefined || baseVersion === null) return;
    await this.send([{ kind: "workout", id, baseVersion, state: null }], isAnswerLost);
  }

  async pull() {
    for (let hasMore = true; hasMore; ) {
      const from = this.#cursor === undefined ? "" : `&cursor=${this.#cursor}`;
      const { json } = await this.#api.get(`/api/v1/changes?pageSize=3${from}`, { as: this.#as });
      for (const { id, state } of json.items as { id: string; state: Stored | null }[]) {
        if (state === null) this.copies.delete(id);
        else if (this.copies.get(id)?.baseVersion !== state.version) this.#merge(id, state);
      }
      this.#cursor = json.nextCursor;
      hasMore = json.hasMore;
    }
  }
}
