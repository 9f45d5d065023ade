import type {
  CellWarning,
  ImportedWorkout,
  ImportOptions,
  RowError,
} from "#src/imports/formats.types.ts";
import { openTrainingFile } from "#src/imports/training-file.rules.ts";

/** Reads an export of another app: its format, its workouts, their sets, and all findings. */
export async function readExport(text: string, options: Partial<ImportOptions> = {}) {
  const workouts: ImportedWorkout[] = [];
  const errors: RowError[] = [];
  const warnings: CellWarning[] = [];
  const file = await openTrainingFile(text, { timeZone: "UTC", ...options }, async () => {});
  for await (const event of file.events()) {
    if ("workout" in event) workouts.push(event.workout);
    if ("error" in event) errors.push(event.error);
    if ("warning" in event) warnings.push(event.warning);
  }
  const sets = workouts.flatMap(({ exercises }) => exercises.flatMap(({ sets }) => sets));
  return { format: file.format, workouts, errors, warnings, sets };
}

/** A valid row of each format. */
const VALID_ROWS = {
  strong: {
    date: "2024-05-01 18:00:00",
    "workout name": "Push",
    duration: "1h",
    "exercise name": "Bench",
    "set order": "1",
    "weight (kg)": "60",
    reps: "8",
    distance: "",
    seconds: "",
    notes: "",
    "workout notes": "",
    rpe: "",
  },
  hevy: {
    title: "Push",
    start_time: "1 May 2024, 18:00",
    end_time: "1 May 2024, 19:00",
    description: "",
    exercise_title: "Bench",
    superset_id: "",
    exercise_notes: "",
    set_index: "0",
    set_type: "normal",
    weight_kg: "60",
    reps: "8",
    distance_km: "",
    duration_seconds: "",
    rpe: "",
  },
  fitnotes: {
    date: "2024-05-01",
    exercise: "Bench",
    category: "Chest",
    weight: "60",
    "weight unit": "kgs",
    reps: "8",
    distance: "",
    "distance unit": "",
    time: "",
    comment: "",
  },
};
export type ExportFormat = keyof typeof VALID_ROWS;
export type Cells = Record<string, string>;

/** An export with a valid row for each of `changes`, in which these cells are replaced. */
export function makeExport(format: ExportFormat, changes: Cells[]): string {
  const header = Object.keys(VALID_ROWS[format]);
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const rows = changes.map((cells) => Object.values({ ...VALID_ROWS[format], ...cells }));
  return [header, ...rows].map((row) => row.map(quote).join(",")).join("\n");
}
