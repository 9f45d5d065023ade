import type { FieldError } from "#lib/errors.ts";

/**
 * What an exercise of a routine aims at. Weights in `weightUnit`, times in seconds, distances in
 * metres.
 */
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

/** What is wrong with targets, each under `path`; empty when they fit their mode and each other. */
export function faultsOfTargets(targets: Targets, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const fault = (field: string, code: string, message: string) =>
    faults.push({ field: `${path}/${field}`, code, message });
  const isGiven = (field: keyof Targets) => targets[field] !== undefined && targets[field] !== null;
  const metrics = {
    repsMin: "reps",
    repsMax: "reps",
    timeS: "time",
    distanceM: "distance",
  } as const;
  for (const [field, mode] of Object.entries(metrics)) {
    if (isGiven(field as keyof Targets) && targets.mode !== mode) {
      fault(field, "mode", `Only an exercise in mode ${mode} has it`);
    }
  }
  if (isGiven("repsMin") !== isGiven("repsMax"))
    fault("repsMax", "pair", "repsMin and repsMax go together");
  else if ((targets.repsMin ?? 0) > (targets.repsMax ?? 0))
    fault("repsMax", "range", "Must not be below repsMin");
  if (isGiven("weight") !== isGiven("weightUnit"))
    fault("weightUnit", "pair", "weight and weightUnit go together");
  if (isGiven("rpe") && isGiven("rir")) fault("rir", "pair", "Give either rpe or rir");
  return faults;
}
