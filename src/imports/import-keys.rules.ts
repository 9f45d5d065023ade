import { createHash } from "node:crypto";
import type { Format, ImportedWorkout } from "./formats.types.ts";
import { instantAt } from "./local-time.rules.ts";

const MAX_LEGACY_PARTS = 50;

/**
 * The key that identifies a workout when the same file, or a later export of the same app, is
 * imported again: its start as written in the file, and its name. Independent of the time zone of
 * the import.
 */
export const importKey = (format: Format, { wallStart, name }: ImportedWorkout): string =>
  hash(["wall", format, wallStart, name]);

/**
 * The keys of earlier versions, which contain the instant of the start: one for each of
 * `timeZones`. Rows that were not adjacent to the first ones became another workout, with the next
 * `occurrence`.
 */
export const legacyKeys = (
  format: Format,
  { wallStart, name }: ImportedWorkout,
  timeZones: string[],
  occurrence = 1,
): string[] =>
  timeZones.map((timeZone) => {
    const startedAt = instantAt(Temporal.PlainDateTime.from(wallStart), timeZone).toString();
    return hash([format, startedAt, name, occurrence]);
  });

/** The keys of the further workouts into which earlier versions split `workout`. */
export const legacyPartKeys = (
  format: Format,
  workout: ImportedWorkout,
  timeZones: string[],
): string[] =>
  Array.from({ length: MAX_LEGACY_PARTS }, (_, index) =>
    legacyKeys(format, workout, timeZones, index + 2),
  ).flat();

const hash = (parts: unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");
