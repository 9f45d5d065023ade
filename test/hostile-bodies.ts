import type { TSchema } from "@sinclair/typebox";
import fc from "fast-check";
import { LISTS } from "#src/archive/archive.schemas.ts";
import { packArchive } from "#src/archive/archive-format.rules.ts";
import { NewExercise } from "#src/exercises/exercises.schemas.ts";
import type { Operation } from "#src/operations/operation.ts";
import { NewPlan } from "#src/plans/plans.schemas.ts";
import { NewRoutine } from "#src/routines/routines.schemas.ts";
import { WorkoutState } from "#src/workouts/workouts.schemas.ts";
import { consistent } from "./consistent-values.ts";
import { broken, fitting, nastyText, nastyValue } from "./extreme-values.ts";
import type { HostileFixtures } from "./hostile-fixtures.ts";

type Payload = { body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> };

/** Bodies for an operation: mostly valid JSON, a file, or none. */
export function bodies(spec: Operation["spec"], fixtures: HostileFixtures): fc.Arbitrary<Payload> {
  if (spec.file) return files(spec.file.type);
  if (!spec.body) return fc.constant({});
  const values = spec.id === "Sync" ? syncBatches(fixtures) : fitting(spec.body, fixtures.existing);
  const json = mostlyFitting(values).map(
    (value): Payload => ({ body: JSON.stringify(value) ?? "" }),
  );
  const junk = fc.record({
    body: fc.oneof(
      nastyText,
      nastyValue.map((value) => JSON.stringify(value) ?? ""),
    ),
    headers: fc.constantFrom<Record<string, string>>(
      { "content-type": "application/json" },
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "multipart/form-data; boundary=x" },
      { "content-type": "text/plain" },
      { "content-type": "application/json; charset=utf-16" },
    ),
  });
  return fc.oneof({ weight: 8, arbitrary: json }, { weight: 1, arbitrary: junk });
}

function syncBatches({ existing, params }: HostileFixtures): fc.Arbitrary<unknown> {
  const kinds: [kind: string, schema: TSchema, ids: string][] = [
    ["exercise", NewExercise, "exerciseId"],
    ["routine", NewRoutine, "routineId"],
    ["plan", NewPlan, "planId"],
    ["workout", WorkoutState, "workoutId"],
  ];
  const items = kinds.map(([kind, schema, ids]) =>
    fc.record({
      kind: fc.constant(kind),
      id: fc.oneof(fc.constantFrom(...(params[ids] as string[])), fc.uuid()),
      baseVersion: fc.constantFrom(null, 1, 2, 2_147_483_647),
      state: fc.oneof(
        { weight: 4, arbitrary: mostlyFitting(fitting(schema, existing)) },
        { weight: 1, arbitrary: fc.constant(null) },
      ),
    }),
  );
  return fc.record({ changes: fc.array(fc.oneof(...items), { maxLength: 4 }) });
}

const CSV_HEADERS = [
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Weight Unit,Reps,RPE,Distance,Distance Unit,Seconds,Notes,Workout Notes",
  "title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe",
  "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment",
];

function files(type: string): fc.Arbitrary<Payload> {
  const headers = { "content-type": type };
  const existing = {
    ids: [crypto.randomUUID()],
    idsOf: {},
    emails: ["a@example.com"],
    names: ["Press"],
    cursors: ["x"],
  };
  if (type === "application/zip") {
    const list = (schema: TSchema) =>
      mostlyFitting(fitting(schema, existing)).map((value) =>
        Array.isArray(value) ? value.map((entry) => JSON.stringify(entry ?? null)).join(",\n") : "",
      );
    const lists = fc.record({
      exercises: list(LISTS.exercises),
      routines: list(LISTS.routines),
      plans: list(LISTS.plans),
      workouts: list(LISTS.workouts),
    });
    return fc.oneof(
      { weight: 5, arbitrary: lists.map((content) => ({ body: archiveOf(content), headers })) },
      {
        weight: 1,
        arbitrary: fc
          .uint8Array({ maxLength: 200 })
          .map((bytes) => ({ body: new Uint8Array(bytes), headers })),
      },
    );
  }
  const cell = fc.oneof(
    fc.constantFrom(
      "2026-01-01 10:00:00",
      "2199-12-31 23:59",
      "1900-01-01",
      "Press",
      "1",
      "999999",
      "-0.0001",
      "kg",
      "lb",
      "99h",
      "2 Jan 2026, 10:00",
    ),
    nastyText.map((text) => `"${text.slice(0, 500).replaceAll('"', '""')}"`),
  );
  const rows = fc.array(fc.array(cell, { minLength: 14, maxLength: 14 }), { maxLength: 5 });
  return fc.tuple(fc.constantFrom(...CSV_HEADERS), rows).map(([header, lines]) => ({
    body: [header, ...lines.map((line) => line.slice(0, header.split(",").length).join(","))].join(
      "\n",
    ),
    headers,
  }));
}

/** Packs an archive; lists that cannot be packed give an empty body. */
function archiveOf(lists: Parameters<typeof packArchive>[0]): Uint8Array<ArrayBuffer> {
  try {
    return packArchive(lists);
  } catch {
    return new Uint8Array();
  }
}

/** Mostly valid values, some that only match their schema, and some with one broken part. */
export const mostlyFitting = (values: fc.Arbitrary<unknown>) => {
  const fits = values.map((value) => consistent(value));
  return fc.oneof(
    { weight: 5, arbitrary: fits },
    { weight: 1, arbitrary: values },
    { weight: 2, arbitrary: broken(fits) },
  );
};
