import { readNotes, readNumber, readText, warnCell } from "./cells.rules.ts";
import type { Header, ImportedSet, ImportOptions, Row } from "./formats.types.ts";

type WeightUnit = "kg" | "lb";
/**
 * A column of weights or distances, with the unit in its name: `Weight (kg)`, `distance_miles`,
 * `Weight`.
 */
type MeasureColumn<Unit> = { column: string; unit: Unit | null };
/**
 * The values that each format has in columns of its own. Seconds may have decimals; `note` is the
 * name of a column.
 */
type FormatValues = Pick<ImportedSet, "type" | "reps" | "timeS"> & { note: string | null };
/** Reads the set of a row, with a warning for each invalid cell. */
export type SetReader = (row: Row, values: FormatValues) => ImportedSet;

const [MILE_M, KILOMETRE_M, YARD_M, FOOT_M, INCH_M] = [1609.344, 1000, 0.9144, 0.3048, 0.0254];
const WEIGHT_UNITS = unitsBySpelling<WeightUnit>([
  ["kg", "kg kgs kilograms"],
  ["lb", "lb lbs pounds"],
]);
/** Metres in a unit of distance, by its spelling. */
const METRES = unitsBySpelling([
  [1, "m meter meters metre metres"],
  [0.01, "cm"],
  [KILOMETRE_M, "km kms kilometers kilometres"],
  [MILE_M, "mi mile miles"],
  [YARD_M, "yd yds yard yards"],
  [FOOT_M, "ft foot feet"],
  [INCH_M, "in inch inches"],
]);
const [MAX_WEIGHT, MAX_DISTANCE_M, SET_NOTE_LENGTH] = [2000, 1_000_000, 500];

function unitsBySpelling<Unit>(units: [unit: Unit, spellings: string][]): Map<string, Unit> {
  return new Map(
    units.flatMap(([unit, spellings]) =>
      spellings.split(" ").map((spelling): [string, Unit] => [spelling, unit]),
    ),
  );
}

/** Whether there is a column for weights with a known unit or none. */
export const hasWeights = (header: Header): boolean =>
  columnsOf(header, "weight", WEIGHT_UNITS).length > 0;

/** The columns of weights and distances that are read; names in lower case. */
export const measureColumns = (header: Header): string[] => [
  ...columnsOf(header, "weight", WEIGHT_UNITS).map(({ column }) => column),
  ...columnsOf(header, "distance", METRES).map(({ column }) => column),
];

/** Whether the file has weights without a unit, in the header and in the rows. */
export const needsWeightUnit = (header: Header): boolean =>
  !header.columns.has("weight unit") &&
  columnsOf(header, "weight", WEIGHT_UNITS).some(({ unit }) => unit === null);

/** Whether the weight of a row has no unit, in a file that has a column for units. */
export function lacksWeightUnit(row: Row): boolean {
  const { columns } = row.header;
  if (!columns.has("weight unit") || readText(row, "weight unit") !== "") return false;
  return columns.has("weight") && /[1-9]/.test(readText(row, "weight"));
}

/**
 * Reads weights to three decimals in the unit in which they were logged, and distances in whole
 * metres. A weight, time or distance of 0 is null, since the apps write it for "none"; so are 0
 * repetitions, except with a weight alone, which is a failed lift. A weight below 0 is assistance:
 * no weight, but `assisted`, with a warning.
 */
export function createSetReader(header: Header, options: ImportOptions): SetReader {
  const weightColumns = columnsOf(header, "weight", WEIGHT_UNITS);
  const distanceColumns = columnsOf(header, "distance", METRES);
  const headerUnit = weightColumns.find(({ unit }) => unit !== null)?.unit ?? null;

  function readWeight(row: Row): Pick<ImportedSet, "weight" | "weightUnit" | "assisted"> {
    for (const { column, unit } of weightColumns) {
      const weight = Number((readNumber(row, column, -MAX_WEIGHT, MAX_WEIGHT) ?? 0).toFixed(3));
      if (weight === 0) continue;
      const unitOfRow = unit ?? readUnit(row, "weight unit", WEIGHT_UNITS);
      // An unknown unit has been reported already.
      if (unitOfRow === null) break;
      const weightUnit = unitOfRow ?? options.weightUnit;
      if (weightUnit === undefined) {
        warnCell(row, column, "unit", "has no unit in this row");
        break;
      }
      if (weight > 0) return { weight, weightUnit, assisted: null };
      const assisted = `assisted ${-weight} ${weightUnit}`;
      warnCell(row, column, "assisted", "is below 0, and is kept as a note of the set: assisted");
      return { weight: null, weightUnit: null, assisted };
    }
    return { weight: null, weightUnit: null, assisted: null };
  }

  function readDistance(row: Row): number | null {
    for (const { column, unit } of distanceColumns) {
      const distance = readNumber(row, column, 0, Infinity);
      if (!distance) continue;
      const metresOfRow = unit ?? readUnit(row, "distance unit", METRES);
      if (metresOfRow === null) return null;
      const distanceM = Math.round(distance * (metresOfRow ?? defaultDistanceUnit(row)));
      if (distanceM > 0 && distanceM <= MAX_DISTANCE_M) return distanceM;
      const limit = distanceM === 0 ? "least half a metre" : "most 1000 km";
      return warnCell(row, column, "range", `must be at ${limit}`);
    }
    return null;
  }

  function defaultDistanceUnit(row: Row): number {
    const isInPounds =
      (headerUnit ?? parseUnit(row, "weight unit", WEIGHT_UNITS) ?? options.weightUnit) === "lb";
    return (options.distanceUnit ?? (isInPounds ? "mi" : "km")) === "mi" ? MILE_M : KILOMETRE_M;
  }

  return (row, { type, reps, timeS, note }) => {
    const { weight, weightUnit, assisted } = readWeight(row);
    const distanceM = readDistance(row);
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
      rpe: readRpe(row),
      note: note === null ? null : readNotes(row, note, SET_NOTE_LENGTH),
    };
  };
}

function readRpe(row: Row): number | null {
  const rpe = readNumber(row, "rpe", 1, 10);
  return rpe === null || Number.isInteger(rpe * 2)
    ? rpe
    : warnCell(row, "rpe", "range", "must be in steps of 0.5");
}

/** The columns of a measure in the order of the file, without those in an unknown unit. */
function columnsOf<Unit>(
  header: Header,
  measure: string,
  units: Map<string, Unit>,
): MeasureColumn<Unit>[] {
  const columns: MeasureColumn<Unit>[] = [];
  for (const column of header.columns.keys()) {
    if (column === measure) columns.push({ column, unit: null });
    const spelling = new RegExp(`^${measure}(?: ?\\(|_| \\[)([a-z]+)[)\\]]?$`).exec(column)?.[1];
    const unit = spelling === undefined ? undefined : units.get(spelling);
    if (unit !== undefined) columns.push({ column, unit });
  }
  return columns;
}

const parseUnit = <Unit>(row: Row, column: string, units: Map<string, Unit>): Unit | undefined =>
  units.get(readText(row, column).toLowerCase());

/** Undefined if the cell is empty; null if the unit is unknown, which gives a warning. */
function readUnit<Unit>(
  row: Row,
  column: string,
  units: Map<string, Unit>,
): Unit | null | undefined {
  if (readText(row, column) === "") return undefined;
  const unit = parseUnit(row, column, units);
  if (unit !== undefined) return unit;
  return warnCell(row, column, "choice", `must be one of: ${[...units.keys()].join(", ")}`);
}
