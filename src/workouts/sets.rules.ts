import type { FieldError } from "#lib/errors.ts";

/**
 * A set as it is logged: a weight with its unit, and the metric that its exercise's mode calls for,
 * or none yet.
 */
type Logged = {
  weight?: number | null;
  weightUnit?: "kg" | "lb" | null;
  reps?: number | null;
  timeS?: number | null;
  distanceM?: number | null;
};

const METRICS = { reps: "reps", timeS: "time", distanceM: "distance" } as const;

const MODES = ["reps", "time", "distance", "sets_only"];

/** The modes of exercises that a set fits; empty if it fits none. */
export const modesFitting = (set: Logged): string[] =>
  MODES.filter((mode) => faultsOfSet(mode, set, "").length === 0);

/** What is wrong with a set of an exercise in `mode`, each under `path`; empty when it fits. */
export function faultsOfSet(mode: string, set: Logged, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const isGiven = (field: keyof Logged) => set[field] !== undefined && set[field] !== null;
  for (const [field, wanted] of Object.entries(METRICS)) {
    if (isGiven(field as keyof Logged) && mode !== wanted) {
      faults.push({
        field: `${path}/${field}`,
        code: "mode",
        message: `The exercise is in mode ${mode}`,
      });
    }
  }
  if (isGiven("weight") !== isGiven("weightUnit")) {
    faults.push({
      field: `${path}/weightUnit`,
      code: "pair",
      message: "weight and weightUnit go together",
    });
  }
  return faults;
}
