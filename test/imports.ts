import { type Api, expectStatus } from "./harness.ts";
import { IMPORTS, WORKOUTS } from "./paths.ts";

/** Sends a file to be imported. */
export const sendFile = (
  api: Api,
  as: string,
  file: string | string[],
  query = "timeZone=UTC",
  headers = {},
) =>
  api.post(`${IMPORTS}?${query}`, {
    as,
    body: typeof file === "string" ? file : file.join("\n"),
    headers: { "content-type": "text/csv", ...headers },
  });

/** Imports a file, and returns the report. */
export async function importFile(...request: Parameters<typeof sendFile>) {
  const answer = await sendFile(...request);
  expectStatus(answer, 200);
  return answer.json;
}

export type StoredWorkout = {
  id: string;
  startedAt: string;
  name: string;
  exercises: { exerciseName: string; mode: string; sets: object[] }[];
};

/** The workouts of a user with their exercises and sets, the latest first. */
export async function listFullWorkouts(api: Api, as: string): Promise<StoredWorkout[]> {
  const { items } = (await api.get(`${WORKOUTS}?pageSize=100`, { as })).json;
  const workouts: StoredWorkout[] = [];
  for (const { id } of items) workouts.push((await api.get(`${WORKOUTS}/${id}`, { as })).json);
  return workouts;
}

export const HEVY_HEADER =
  '"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index","set_type","weight_kg","reps","distance_km","duration_seconds","rpe"';
export const hevyRow = (
  day: number,
  exercise: string,
  weight: number | string,
  reps: number | string = 5,
) =>
  `"Day","${day} Mar 2024, 17:00","${day} Mar 2024, 18:00","","${exercise}",,"",0,"normal",${weight},${reps},,,`;

export const STRONG_HEADER =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE";
/** A set of a workout in January 2025. */
export const strongRow = (
  day: string,
  name: string,
  set: number,
  weight: number,
  { exercise = "Bench Press (Barbell)", note = "" } = {},
) => `2025-01-${day} 10:00:00,"${name}",45m,${exercise},${set},${weight},5,0,0,${note},,`;

/** The number of sets of each workout of a user, the earliest first. */
export const countSets = async (api: Api, as: string): Promise<number[]> =>
  (await listFullWorkouts(api, as))
    .map(({ exercises }) => exercises.reduce((sum, { sets }) => sum + sets.length, 0))
    .reverse();
