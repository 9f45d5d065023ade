import { type Api, expectStatus } from "./harness.ts";

/** A change of a batch that a device sends; `baseVersion` null is a new entity. */
export type SyncItem = {
  kind: string;
  id: string;
  baseVersion?: number | null;
  state: object | null;
};

/** The state of a new exercise; the database needs a muscle group with id 1. */
export const NEW_EXERCISE = {
  name: "Zq Press",
  primaryMuscles: [1],
  difficultyLevel: "beginner",
  category: "strength",
};

/** The state of a finished workout without exercises; `fields` replace its own. */
export const workoutState = (fields: object = {}) => ({
  startedAt: "2026-01-05T10:00:00Z",
  endedAt: "2026-01-05T11:00:00Z",
  timeZone: "UTC",
  exercises: [],
  ...fields,
});

/** Sends `items` in one batch as the signed-in user, and returns the result of each, in order. */
export async function syncBatch(api: Api, as: string, items: SyncItem[]) {
  const body = { changes: items.map((item) => ({ baseVersion: null, ...item })) };
  const answer = await api.post("/api/v1/sync", { as, body });
  expectStatus(answer, 200);
  return answer.json.results;
}

export const statuses = (results: { status: string }[]) => results.map(({ status }) => status);
