import type { ImportedSet, ImportOptions } from "./formats.rules.ts";
import { type Header, noteIn, numberIn, type Row, refuse, textIn } from "./rows.rules.ts";

type WeightUnit = "kg" | "lb";
/** A column of a measure, with the unit that stands in its name: `Weight (kg)`, `distance_miles`, `Weight`. */
type Measure<Unit> = { column: string; unit: Unit | null };
/** What the formats have in columns of their own; `note` is the name of one. Seconds may have decimals. */
type Measured = Pick<ImportedSet, "type" | "reps" | "timeS"> & { note: string | null };
/** Reads what was measured in the set of a row, noting in the row what is wrong. */
export type SetReader = (row: Row, read: Measured) => ImportedSet;

const [MILE_M, KILOMETRE_M] = [1609.344, 1000];
const WEIGHT_UNITS = new Map<string, WeightUnit>(Object.entries({ kg: "kg", kgs: "kg", lb: "lb", lbs: "lb" }));
const METRES = new Map(
  Object.entries({ m: 1, meters: 1, km: KILOMETRE_M, mi: MILE_M, miles: MILE_M, ft: 0.3048, cm: 0.01 }),
);
const [MOST_WEIGHT, MOST_DISTANCE_M, SET_NOTE_LENGTH] = [2000, 1_000_000, 500];

/** Whether there is a column for weights, in units that we know or a unit to be told. */
export const hasWeights = (header: Header): boolean => measuresIn(header, "weight", WEIGHT_UNITS).length > 0;

/** Whether weights stand in it without a unit. */
export const needsWeightUnit = (header: Header): boolean =>
  !header.columns.has("weight unit") && measuresIn(header, "weight", WEIGHT_UNITS).some(({ unit }) => unit === null);

/**
 * Reads weights to three decimals in the unit that they were logged in, distances in whole metres. What the apps write
 * for "none" is null: a weight, time or distance of 0, and 0 repetitions unless of a weight alone, which is a lift that
 * failed.
 */
export function createSetReader(header: Header, options: ImportOptions): SetReader {
  const weights = measuresIn(header, "weight", WEIGHT_UNITS);
  const distances = measuresIn(header, "distance", METRES);
  const headerUnit = weights.find(({ unit }) => unit !== null)?.unit ?? null;
  const unitOf = (row: Row) => unitIn(row, "weight unit", WEIGHT_UNITS) ?? options.weightUnit ?? null;

  function weightIn(row: Row): Pick<ImportedSet, "weight" | "weightUnit"> {
    for (const { column, unit } of weights) {
      const weight = Number((numberIn(row, column, 0, MOST_WEIGHT) ?? 0).toFixed(3));
      if (weight === 0) continue;
      const weightUnit = unit ?? unitOf(row);
      if (weightUnit) return { weight, weightUnit };
      refuse(row, column, "unit", "has no unit in this row");
    }
    return { weight: null, weightUnit: null };
  }

  function distanceIn(row: Row): number | null {
    for (const { column, unit } of distances) {
      const distance = numberIn(row, column, 0, Infinity);
      if (!distance) continue;
      const usual = options.distanceUnit ?? ((headerUnit ?? unitOf(row)) === "lb" ? "mi" : "km");
      const metres = unit ?? unitIn(row, "distance unit", METRES) ?? (usual === "mi" ? MILE_M : KILOMETRE_M);
      const distanceM = Math.round(distance * metres);
      return distanceM <= MOST_DISTANCE_M ? distanceM : refuse(row, column, "range", "must be at most 1000 km");
    }
    return null;
  }

  return (row, { type, reps, timeS, note }) => {
    const set = { type, ...weightIn(row), reps, timeS: Math.round(timeS ?? 0) || null, distanceM: distanceIn(row) };
    const isFailedLift = set.weight !== null && set.timeS === null && set.distanceM === null;
    if (reps === 0 && !isFailedLift) set.reps = null;
    return { ...set, rpe: rpeIn(row), note: note === null ? null : noteIn(row, note, SET_NOTE_LENGTH) };
  };
}

function rpeIn(row: Row): number | null {
  const rpe = numberIn(row, "rpe", 1, 10);
  return rpe === null || Number.isInteger(rpe * 2) ? rpe : refuse(row, "rpe", "range", "must be in steps of 0.5");
}

/** The columns of a measure in the order of the file; those in a unit that we do not know are none. */
function measuresIn<Unit>(header: Header, measure: string, units: Map<string, Unit>): Measure<Unit>[] {
  const measures: Measure<Unit>[] = [];
  for (const column of header.columns.keys()) {
    if (column === measure) measures.push({ column, unit: null });
    const word = new RegExp(`^${measure}(?: \\(|_)([a-z]+)\\)?$`).exec(column)?.[1];
    const unit = word === undefined ? undefined : units.get(word);
    if (unit !== undefined) measures.push({ column, unit });
  }
  return measures;
}

function unitIn<Unit>(row: Row, column: string, units: Map<string, Unit>): Unit | null {
  const word = textIn(row, column).toLowerCase();
  if (word === "") return null;
  return units.get(word) ?? refuse(row, column, "choice", `must be one of: ${[...units.keys()].join(", ")}`);
}
