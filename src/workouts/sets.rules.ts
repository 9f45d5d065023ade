import type { FieldError } from "#lib/errors.ts";

/** A set with a weight and its unit, and the metric of its exercise's mode or none yet. */
type LoggedSet = {
  weight?: number | null;
  weightUnit?: "kg" | "lb" | null;
  reps?: number | null;
  timeS?: number | null;
  distanceM?: number | null;
};

const METRICS = { reps: "reps", timeS: "time", distanceM: "distance" } as const;

const MODES = ["reps", "time", "distance", "sets_only"];

/** The modes that an exercise may have for the set to fit it; empty if there is none. */
export const fittingModes = (set: LoggedSet): string[] =>
  MODES.filter((mode) => setErrors(mode, set, "").length === 0);

/**
 * The errors of a set that does not fit an exercise in `mode`, with fields under `path`; empty if
 * it fits.
 */
export function setErrors(mode: string, set: LoggedSet, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const isGiven = (field: keyof LoggedSet) => set[field] !== undefined && set[field] !== null;
  for (const [metric, metricMode] of Object.entries(METRICS)) {
    if (isGiven(metric as keyof LoggedSet) && mode !== metricMode) {
      const message = `The exercise is in mode ${mode}`;
      errors.push({ field: `${path}/${metric}`, code: "mode", message });
    }
  }
  if (isGiven("weight") !== isGiven("weightUnit")) {
    const message = "weight and weightUnit go together";
    errors.push({ field: `${path}/weightUnit`, code: "pair", message });
  }
  return errors;
}
