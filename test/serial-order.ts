import {
  type Act,
  type Fixtures,
  type Model,
  planOf,
  routineOf,
  workoutOf,
} from "./concurrent-edits.ts";
import type { Answer } from "./harness.ts";
import { API } from "./paths.ts";

/**
 * An edit that was made; `apply` makes it of a model, and gives undefined where it cannot have been
 * answered as it was.
 */
export type Edit = {
  what: string;
  status: number;
  apply: ((model: Model) => Model | undefined) | undefined;
};

/**
 * Whether some order of the edits, one after the other, leads from `start` to `end` with the
 * answers that they had.
 */
export function isSerial(start: Model, edits: Edit[], end: Model): boolean {
  const seen = new Set<string>();
  const made = edits.flatMap(({ apply }) => apply ?? []);
  const goOn = (model: Model, left: number): boolean => {
    const state = `${left} ${JSON.stringify(model)}`;
    if (seen.has(state)) return false;
    seen.add(state);
    if (left === 0) return Bun.deepEquals(model, end);
    return made.some((apply, n) => {
      const next = (left & (1 << n)) === 0 ? undefined : apply(structuredClone(model));
      return next !== undefined && goOn(next, left & ~(1 << n));
    });
  };
  return goOn(start, (1 << made.length) - 1);
}

type Workout = Model["workout"];
type Change = (workout: Workout, answer: Answer) => boolean;

/** Takes the part at `from` out and puts it in at `position`, at most the last. */
function move<T>(parts: T[], from: number, position: number): void {
  const [part] = parts.splice(from, 1) as [T];
  parts.splice(position - 1, 0, part);
}

/** The edits that an act is: two of the same at once when it is a double tap. */
export function send(fixtures: Fixtures, act: Act): Promise<Edit>[] {
  const request = requestOf(fixtures, act);
  return Array.from({ length: act.twice ? 2 : 1 }, () => request());
}

function requestOf(fixtures: Fixtures, act: Act): () => Promise<Edit> {
  const { api, as, ids, start } = fixtures;
  const ask = (method: string, path: string, body?: object) =>
    api.ask(method, `${API}/${path}`, { as, ...(body ? { body } : {}) });
  const edit = async (
    method: string,
    path: string,
    body: object | undefined,
    apply: (model: Model, answer: Answer) => boolean,
  ): Promise<Edit> => {
    const answer = await ask(method, path, body);
    const isMade =
      answer.status < 300 && (path !== "sync" || answer.json.results[0].status === "applied");
    const what = `${act.act} ${answer.status} ${answer.text.slice(0, 300)}`;
    if (!isMade) return { what, status: answer.status, apply: undefined };
    return {
      what,
      status: answer.status,
      apply: (model) => (apply(model, answer) ? model : undefined),
    };
  };
  const workout = `workouts/${ids.workout}`;
  const entry = start.workout.exercises[act.at % 3] as Workout["exercises"][number];
  const [setId] = entry.sets[act.number % 3] as [string, number];
  const id = Bun.randomUUIDv7();
  const ofWorkout =
    (method: string, path: string, body: object | undefined, change: Change) => () =>
      edit(method, `${workout}/${path}`, body, (model, answer) => {
        if (!change(model.workout, answer)) return false;
        model.workout.version += 1;
        return (
          answer.json?.exercises === undefined ||
          Bun.deepEquals(workoutOf(answer.json), model.workout)
        );
      });
  const entryIn = ({ exercises }: Workout) => exercises.findIndex((one) => one.id === entry.id);
  const inEntry = (
    change: (found: Workout["exercises"][number], answer: Answer) => boolean,
  ): Change => {
    return (stored, answer) => {
      const found = stored.exercises[entryIn(stored)];
      return found !== undefined && change(found, answer);
    };
  };
  const setIn = (sets: Workout["exercises"][number]["sets"]) =>
    sets.findIndex(([one]) => one === setId);
  const targets = act.list.map((n) => ({
    exerciseName: `Exercise ${n}`,
    mode: "reps",
    sets: act.number + n,
  }));
  const changed = targets.map(({ sets }) => ({ exerciseId: null, sets }));
  const days = act.list.map((n) => ({
    routineId: ids.routines[n % 2] as string,
    day: 1 + (n >> 1),
  }));
  const byDay = [...days].sort((one, other) => one.day - other.day);
  const sync = (kind: "workout" | "routine" | "plan", state: object, content: object) => () => {
    const change = { kind, id: ids[kind], baseVersion: start[kind].version, state };
    return edit("POST", "sync", { changes: [change] }, (model) => {
      if (model[kind].version !== start[kind].version) return false;
      Object.assign(model[kind], content, { version: model[kind].version + 1 });
      return true;
    });
  };
  switch (act.act) {
    case "add exercise": {
      const sets = [{ id: Bun.randomUUIDv7(), reps: act.number }];
      const given = { id, exerciseName: "Added", mode: "reps", sets };
      return ofWorkout("POST", "exercises", given, ({ exercises }) => {
        exercises.push({ id, exerciseId: null, sets: sets.map((set) => [set.id, set.reps]) });
        return true;
      });
    }
    case "move exercise":
      return ofWorkout("PATCH", `exercises/${entry.id}`, { position: act.position }, (stored) => {
        const from = entryIn(stored);
        if (from >= 0) move(stored.exercises, from, act.position);
        return from >= 0;
      });
    case "remove exercise":
      return ofWorkout("DELETE", `exercises/${entry.id}`, undefined, (stored) => {
        const from = entryIn(stored);
        return from >= 0 && stored.exercises.splice(from, 1).length === 1;
      });
    case "log set":
      return ofWorkout(
        "POST",
        `exercises/${entry.id}/sets`,
        { id, reps: act.number },
        inEntry(({ sets }, { json }) => sets.push([id, act.number]) === json.position),
      );
    case "move set":
      return ofWorkout(
        "PATCH",
        `sets/${setId}`,
        { position: act.position },
        inEntry(({ sets }, { json }) => {
          const from = setIn(sets);
          if (from < 0) return false;
          move(sets, from, act.position);
          return setIn(sets) + 1 === json.position;
        }),
      );
    case "change set":
      return ofWorkout(
        "PATCH",
        `sets/${setId}`,
        { reps: act.number },
        inEntry(({ sets }) => {
          const set = sets[setIn(sets)];
          if (set) set[1] = act.number;
          return set !== undefined;
        }),
      );
    case "remove set":
      return ofWorkout(
        "DELETE",
        `sets/${setId}`,
        undefined,
        inEntry(({ sets }) => setIn(sets) >= 0 && sets.splice(setIn(sets), 1).length === 1),
      );
    case "replace workout": {
      const exercises = start.workout.exercises
        .toReversed()
        .map((one) => ({ ...one, sets: one.sets.toReversed() }));
      const stated = exercises.map((one) => ({
        ...{ id: one.id, exerciseName: "Replaced", mode: "reps" },
        sets: one.sets.map(([setId, reps]) => ({ id: setId, reps })),
      }));
      return sync(
        "workout",
        { timeZone: "UTC", startedAt: "2026-01-01T00:00:00Z", exercises: stated },
        { exercises },
      );
    }
    case "change routine":
      return () =>
        edit("PATCH", `routines/${ids.routine}`, { exercises: targets }, (model, { json }) => {
          model.routine = { version: model.routine.version + 1, exercises: changed };
          return Bun.deepEquals(routineOf(json), model.routine);
        });
    case "replace routine":
      return sync("routine", { name: ids.name, exercises: targets }, { exercises: changed });
    case "start":
      return () =>
        edit(
          "POST",
          "workouts",
          { timeZone: "UTC", routineId: ids.routine },
          ({ routine }, { json }) => {
            const sets = json.exercises.map(
              (one: { targets: { sets: number } }) => one.targets.sets,
            );
            return Bun.deepEquals(
              sets,
              routine.exercises.map((one) => one.sets),
            );
          },
        );
    case "copy routine":
      return () =>
        edit(
          "POST",
          `routines/${ids.routine}/clone`,
          { name: Bun.randomUUIDv7() },
          ({ routine }, { json }) => Bun.deepEquals(routineOf(json).exercises, routine.exercises),
        );
    case "change plan":
      return () =>
        edit("PATCH", `plans/${ids.plan}`, { routines: days }, (model, { json }) => {
          model.plan = { version: model.plan.version + 1, routines: byDay };
          return Bun.deepEquals(planOf(json), model.plan);
        });
    case "replace plan":
      return sync("plan", { name: id, routines: days }, { routines: byDay });
    case "copy plan":
      return () =>
        edit(
          "POST",
          `plans/${ids.plan}/clone`,
          { name: Bun.randomUUIDv7() },
          ({ plan }, { json }) => Bun.deepEquals(planOf(json).routines, plan.routines),
        );
  }
}
