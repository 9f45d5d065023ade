import { type Api, expectStatus } from "./harness.ts";

/**
 * What a device knows of a workout: the sets that it has (by id, with their repetitions), and where
 * that began.
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
 * A phone: it keeps its own copies, and merges sets by their ids when it learns that others have
 * changed something.
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
   * `as` is the cookie of its person; `deleted` collects the workouts whose deletion the server
   * said it applied.
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

  /** Sends `items`; the answer may get lost on its way back. */
  async send(items: Item[], isAnswerLost: boolean) {
    if (items.length === 0) return;
    const answer = await this.#api.post("/api/v1/sync", { as: this.#as, body: { changes: items } });
    expectStatus(answer, 200);
    const results = answer.json.results as Result[];
    for (const [at, result] of results.entries()) {
      const item = items[at] as Item;
      if (result.status === "refused") throw new Error(`Refused: ${answer.text}`);
      if (item.state === null && result.status === "applied") this.#deleted.add(result.id);
      if (!isAnswerLost) this.#learn(result, item);
    }
  }

  #learn({ id, status, version, current }: Result, item: Item) {
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

  /** Others' sets come and go as they say; what this device added or removed since stays so. */
  #merge(id: string, stored: Stored) {
    const theirs = setsOf(stored);
    const copy = this.copies.get(id);
    const merged = new Map([...theirs].filter(([setId]) => !this.#removed.has(setId)));
    for (const [setId, reps] of copy?.sets ?? [])
      if (!copy?.baseSets.has(setId)) merged.set(setId, reps);
    const isChanged = !Bun.deepEquals(merged, theirs);
    this.copies.set(id, { baseVersion: stored.version, baseSets: theirs, sets: merged, isChanged });
  }

  /**
   * Deletes a workout that it has seen on the server; it stays when others have changed it
   * meanwhile.
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
