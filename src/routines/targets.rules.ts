import type { FieldError } from "#lib/errors.ts";

/** The targets of an exercise in a routine. `weight` is in `weightUnit`. */
export type Targets = {
  mode: "reps" | "time" | "distance" | "sets_only";
  sets: number;
  repsMin?: number | null;
  repsMax?: number | null;
  weight?: number | null;
  weightUnit?: "kg" | "lb" | null;
  timeS?: number | null;
  distanceM?: number | null;
  rpe?: number | null;
  rir?: number | null;
};

/**
 * The errors of targets that do not fit their mode or each other, with fields under `path`; empty
 * if there are none.
 */
export function targetErrors(targets: Targets, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const addError = (field: string, code: string, message: string) =>
    errors.push({ field: `${path}/${field}`, code, message });
  const isGiven = (field: keyof Targets) => targets[field] !== undefined && targets[field] !== null;
  const metrics = {
    repsMin: "reps",
    repsMax: "reps",
    timeS: "time",
    distanceM: "distance",
  } as const;
  for (const [field, mode] of Object.entries(metrics)) {
    if (isGiven(field as keyof Targets) && targets.mode !== mode) {
      addError(field, "mode", `Only an exercise in mode ${mode} has it`);
    }
  }
  if (isGiven("repsMin") !== isGiven("repsMax"))
    addError("repsMax", "pair", "repsMin and repsMax go together");
  else if ((targets.repsMin ?? 0) > (targets.repsMax ?? 0))
    addError("repsMax", "range", "Must not be below repsMin");
  if (isGiven("weight") !== isGiven("weightUnit"))
    addError("weightUnit", "pair", "weight and weightUnit go together");
  if (isGiven("rpe") && isGiven("rir")) addError("rir", "pair", "Give either rpe or rir");
  return errors;
}
