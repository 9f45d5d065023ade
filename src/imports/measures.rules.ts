import type { ImportedSet, ImportOptions } from "./formats.rules.ts";
import { type Header, noteCell, noteIn, numberIn, type Row, textIn } from "./rows.rules.ts";

type WeightUnit = "kg" | "lb";
/** A column of a measure, with the unit in its name: `Weight (kg)`, `distance_miles`, `Weight`. */
type Measure<Unit> = { column: string; unit: Unit | null };
/**
 * What the formats have in columns of their own; `note` is the name of one. Seconds may have
 * decimals.
 */
type Measured = Pick<ImportedSet, "type" | "reps" | "timeS"> & { note: string | null };
/** Reads what was measured in the set of a row, noting in the row which cells say nothing. */
export type SetReader = (row: Row, read: Measured) => ImportedSet;

const [MILE_M, KILOMETRE_M, YARD_M, FOOT_M, INCH_M] = [1609.344, 1000, 0.9144, 0.3048, 0.0254];
const WEIGHT_UNITS = new Map<string, WeightUnit>(
  Object.entries({ kg: "kg", kgs: "kg", kilograms: "kg", lb: "lb", lbs: "lb", pounds: "lb" }),
);
const METRES = new Map(
  Object.entries({
    ...{ m: 1, meter: 1, meters: 1, metre: 1, metres: 1, cm: 0.01 },
    ...{ km: KILOMETRE_M, kms: KILOMETRE_M, kilometers: KILOMETRE_M, kilometres: KILOMETRE_M },
    ...{
      mi: MILE_M,
      mile: MILE_M,
      miles: MILE_M,
      yd: YARD_M,
      yds: YARD_M,
      yard: YARD_M,
      yards: YARD_M,
    },
    ...{ ft: FOOT_M, foot: FOOT_M, feet: FOOT_M, in: INCH_M, inch: INCH_M, inches: INCH_M },
  }),
);
const [MAX_WEIGHT, MAX_DISTANCE_M, SET_NOTE_LENGTH] = [2000, 1_000_000, 500];

/** Whether there is a column for weights with a known unit or none. */
export const hasWeights = (header: Header): boolean =>
  measuresIn(header, "weight", WEIGHT_UNITS).length > 0;

/** The columns of weights and distances that are read; names in lower case. */
export const measureColumns = (header: Header): string[] => [
  ...measuresIn(header, "weight", WEIGHT_UNITS).map(({ column }) => column),
  ...measuresIn(header, "distance", METRES).map(({ column }) => column),
];

/** Whether weights stand in it without a unit. */
export const needsWeightUnit = (header: Header): boolean =>
  !header.columns.has("weight unit") &&
  measuresIn(header, "weight", WEIGHT_UNITS).some(({ unit }) => unit === null);

/** Whether the weight of a row has no unit, in a file that has a column for units. */
export function lacksWeightUnit(row: Row): boolean {
  const { columns } = row.header;
  if (!columns.has("weight unit") || textIn(row, "weight unit") !== "") return false;
  return columns.has("weight") && /[1-9]/.test(textIn(row, "weight"));
}

/**
 * Reads weights to three decimals in the unit in which they were logged, and distances in whole
 * metres. A weight, time or distance of 0 is null, since the apps write it for "none"; so are 0
 * repetitions, except with a weight alone, which is a failed lift. A weight below 0 is assistance:
 * no weight, but `assisted`, with a note in the row.
 */
export function createSetReader(header: Header, options: ImportOptions): SetReader {
  const weights = measuresIn(header, "weight", WEIGHT_UNITS);
  const distances = measuresIn(header, "distance", METRES);
  const headerUnit = weights.find(({ unit }) => unit !== null)?.unit ?? null;
  const unitOf = (row: Row) => unitIn(row, "weight unit", WEIGHT_UNITS);

  function weightIn(row: Row): Pick<ImportedSet, "weight" | "weightUnit" | "assisted"> {
    for (const { column, unit } of weights) {
      const weight = Number((numberIn(row, column, -MAX_WEIGHT, MAX_WEIGHT) ?? 0).toFixed(3));
      if (weight === 0) continue;
      const given = unit ?? unitOf(row);
      const weightUnit = given === undefined ? (options.weightUnit ?? null) : given;
      // An unknown unit has been noted already.
      if (given === null) break;
      if (weightUnit === null) {
        noteCell(row, column, "unit", "has no unit in this row");
        break;
      }
      if (weight > 0) return { weight, weightUnit, assisted: null };
      const assisted = `assisted ${-weight} ${weightUnit}`;
      noteCell(row, column, "assisted", "is below 0, and is kept as a note of the set: assisted");
      return { weight: null, weightUnit: null, assisted };
    }
    return { weight: null, weightUnit: null, assisted: null };
  }

  function distanceIn(row: Row): number | null {
    for (const { column, unit } of distances) {
      const distance = numberIn(row, column, 0, Infinity);
      if (!distance) continue;
      const given = unit ?? unitIn(row, "distance unit", METRES);
      if (given === null) return null;
      const distanceM = Math.round(distance * (given ?? usualUnit(row)));
      if (distanceM > 0 && distanceM <= MAX_DISTANCE_M) return distanceM;
      return noteCell(
        row,
        column,
        "range",
        `must be at ${distanceM === 0 ? "least half a metre" : "most 1000 km"}`,
      );
    }
    return null;
  }

  function usualUnit(row: Row): number {
    const isInPounds =
      (headerUnit ?? wordIn(row, "weight unit", WEIGHT_UNITS) ?? options.weightUnit) === "lb";
    return (options.distanceUnit ?? (isInPounds ? "mi" : "km")) === "mi" ? MILE_M : KILOMETRE_M;
  }

  return (row, { type, reps, timeS, note }) => {
    const { weight, weightUnit, assisted } = weightIn(row);
    const distanceM = distanceIn(row);
    const time = Math.round(timeS ?? 0) || null;
    const isFailedLift =
      (weight !== null || assisted !== null) && time === null && distanceM === null;
    return {
      row: row.line,
      type,
      weight,
      weightUnit,
      assisted,
      reps: reps === 0 && !isFailedLift ? null : reps,
      timeS: time,
      distanceM,
      rpe: rpeIn(row),
      note: note === null ? null : noteIn(row, note, SET_NOTE_LENGTH),
    };
  };
}

function rpeIn(row: Row): number | null {
  const rpe = numberIn(row, "rpe", 1, 10);
  return rpe === null || Number.isInteger(rpe * 2)
    ? rpe
    : noteCell(row, "rpe", "range", "must be in steps of 0.5");
}

/** The columns of a measure in the order of the file, without those in an unknown unit. */
function measuresIn<Unit>(
  header: Header,
  measure: string,
  units: Map<string, Unit>,
): Measure<Unit>[] {
  const measures: Measure<Unit>[] = [];
  for (const column of header.columns.keys()) {
    if (column === measure) measures.push({ column, unit: null });
    const word = new RegExp(`^${measure}(?: ?\\(|_| \\[)([a-z]+)[)\\]]?$`).exec(column)?.[1];
    const unit = word === undefined ? undefined : units.get(word);
    if (unit !== undefined) measures.push({ column, unit });
  }
  return measures;
}

const wordIn = <Unit>(row: Row, column: string, units: Map<string, Unit>): Unit | undefined =>
  units.get(textIn(row, column).toLowerCase());

/** Undefined if the cell is empty; null if the unit is unknown, which is noted. */
function unitIn<Unit>(row: Row, column: string, units: Map<string, Unit>): Unit | null | undefined {
  if (textIn(row, column) === "") return undefined;
  return (
    wordIn(row, column, units) ??
    noteCell(row, column, "choice", `must be one of: ${[...units.keys()].join(", ")}`)
  );
}
