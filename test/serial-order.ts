import {
  type EditRequest,
  type Fixtures,
  type Model,
  planOf,
  routineOf,
  workoutOf,
} from "./concurrent-edits.ts";
import type { Answer } from "./harness.ts";
import { API } from "./paths.ts";

/**
 * An answered edit. `apply` applies it to a model, and returns undefined if the model contradicts
 * the response. It is undefined if the edit was refused.
 */
export type Edit = {
  description: string;
  status: number;
  apply: ((model: Model) => Model | undefined) | undefined;
};

/** Whether some serial order of the edits leads from `start` to `end` with the same responses. */
export function isSerial(start: Model, edits: Edit[], end: Model): boolean {
  const seen = new Set<string>();
  const applied = edits.flatMap(({ apply }) => apply ?? []);
  const search = (model: Model, remaining: number): boolean => {
    const state = `${remaining} ${JSON.stringify(model)}`;
    if (seen.has(state)) return false;
    seen.add(state);
    if (remaining === 0) return Bun.deepEquals(model, end);
    return applied.some((apply, index) => {
      const next = (remaining & (1 << index)) === 0 ? undefined : apply(structuredClone(model));
      return next !== undefined && search(next, remaining & ~(1 << index));
    });
  };
  return search(start, (1 << applied.length) - 1);
}

type Workout = Model["workout"];
type Change = (workout: Workout, answer: Answer) => boolean;

/** Moves the part at index `from` to `position` (from 1), at most the last. */
function move<T>(parts: T[], from: number, position: number): void {
  const [part] = parts.splice(from, 1) as [T];
  parts.splice(position - 1, 0, part);
}

/** Sends an edit, or the same one twice at once like a double tap. */
export function send(fixtures: Fixtures, request: EditRequest): Promise<Edit>[] {
  const sendOnce = prepare(fixtures, request);
  return Array.from({ length: request.twice ? 2 : 1 }, () => sendOnce());
}

function prepare(fixtures: Fixtures, request: EditRequest): () => Promise<Edit> {
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
    const isApplied =
      answer.status < 300 && (path !== "sync" || answer.json.results[0].status === "applied");
    const description = `${request.kind} ${answer.status} ${answer.text.slice(0, 300)}`;
    if (!isApplied) return { description, status: answer.status, apply: undefined };
    return {
      description,
      status: answer.status,
      apply: (model) => (apply(model, answer) ? model : undefined),
    };
  };
  const workout = `workouts/${ids.workout}`;
  const entry = start.workout.exercises[request.index % 3] as Workout["exercises"][number];
  const [setId] = entry.sets[request.number % 3] as [string, number];
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
  const entryIn = ({ exercises }: Workout) =>
    exercises.findIndex((candidate) => candidate.id === entry.id);
  const inEntry = (
    change: (stored: Workout["exercises"][number], answer: Answer) => boolean,
  ): Change => {
    return (workout, answer) => {
      const stored = workout.exercises[entryIn(workout)];
      return stored !== undefined && change(stored, answer);
    };
  };
  const setIn = (sets: Workout["exercises"][number]["sets"]) =>
    sets.findIndex(([id]) => id === setId);
  const targets = request.list.map((n) => ({
    exerciseName: `Exercise ${n}`,
    mode: "reps",
    sets: request.number + n,
  }));
  const changed = targets.map(({ sets }) => ({ exerciseId: null, sets }));
  const days = request.list.map((n) => ({
    routineId: ids.routines[n % 2] as string,
    day: 1 + (n >> 1),
  }));
  const byDay = [...days].sort((a, b) => a.day - b.day);
  const sync = (kind: "workout" | "routine" | "plan", state: object, content: object) => () => {
    const change = { kind, id: ids[kind], baseVersion: start[kind].version, state };
    return edit("POST", "sync", { changes: [change] }, (model) => {
      if (model[kind].version !== start[kind].version) return false;
      Object.assign(model[kind], content, { version: model[kind].version + 1 });
      return true;
    });
  };
  switch (request.kind) {
    case "add exercise": {
      const sets = [{ id: Bun.randomUUIDv7(), reps: request.number }];
      const body = { id, exerciseName: "Added", mode: "reps", sets };
      return ofWorkout("POST", "exercises", body, ({ exercises }) => {
        exercises.push({ id, exerciseId: null, sets: sets.map((set) => [set.id, set.reps]) });
        return true;
      });
    }
    case "move exercise":
      return ofWorkout(
        "PATCH",
        `exercises/${entry.id}`,
        { position: request.position },
        (stored) => {
          const from = entryIn(stored);
          if (from >= 0) move(stored.exercises, from, request.position);
          return from >= 0;
        },
      );
    case "remove exercise":
      return ofWorkout("DELETE", `exercises/${entry.id}`, undefined, (stored) => {
        const from = entryIn(stored);
        return from >= 0 && stored.exercises.splice(from, 1).length === 1;
      });
    case "log set":
      return ofWorkout(
        "POST",
        `exercises/${entry.id}/sets`,
        { id, reps: request.number },
        inEntry(({ sets }, { json }) => sets.push([id, request.number]) === json.position),
      );
    case "move set":
      return ofWorkout(
        "PATCH",
        `sets/${setId}`,
        { position: request.position },
        inEntry(({ sets }, { json }) => {
          const from = setIn(sets);
          if (from < 0) return false;
          move(sets, from, request.position);
          return setIn(sets) + 1 === json.position;
        }),
      );
    case "change set":
      return ofWorkout(
        "PATCH",
        `sets/${setId}`,
        { reps: request.number },
        inEntry(({ sets }) => {
          const set = sets[setIn(sets)];
          if (set) set[1] = request.number;
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
        .map((exercise) => ({ ...exercise, sets: exercise.sets.toReversed() }));
      const state = exercises.map((exercise) => ({
        id: exercise.id,
        exerciseName: "Replaced",
        mode: "reps",
        sets: exercise.sets.map(([setId, reps]) => ({ id: setId, reps })),
      }));
      return sync(
        "workout",
        { timeZone: "UTC", startedAt: "2026-01-01T00:00:00Z", exercises: state },
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
              (entry: { targets: { sets: number } }) => entry.targets.sets,
            );
            return Bun.deepEquals(
              sets,
              routine.exercises.map((target) => target.sets),
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
