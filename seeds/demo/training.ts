import { numericBytes } from "#db/copy.ts";
import type { Ability, Athlete } from "./athletes.ts";
import { uuidAt } from "./random.ts";
import { logLift, type Moment } from "./sets.ts";
import { type Lift, RUN } from "./splits.ts";
import { WORDS, type WorkoutTables } from "./tables.ts";

const DAY_MS = 86_400_000;
const ABORTED_SHARE = 0.02;
const LEFT_OUT_SHARE = 0.04;
const DELOAD = 0.85;

/** An exercise of the catalog, in binary form. */
export type KnownExercise = { id: Uint8Array; name: Uint8Array };

/** The destination of generated training. */
export type Journal = {
  firstDay: number;
  exercises: Map<string, KnownExercise>;
  tables: WorkoutTables;
};

/** Logs the training of a day (in days since 1970): a workout of the plan, a run, or nothing. */
export function logDay(athlete: Athlete, day: number, journal: Journal): void {
  const { random, split } = athlete;
  if (athlete.holidays.has(day)) {
    athlete.practiceWeeks = Math.max(0, athlete.practiceWeeks - 0.05);
    return;
  }
  // 1970-01-01 was a Thursday; 0 is Monday.
  const weekday = (day + 3 + athlete.weekShift) % 7;
  const planned = split.days.indexOf(weekday);
  if (planned < 0) {
    if (athlete.runs && weekday === 6 && !random.happens(0.3)) logRun(athlete, day, journal);
    return;
  }
  if (random.happens(athlete.missedShare)) return;
  const week = Math.floor((day - journal.firstDay) / 7) + 1;
  logWorkout(athlete, { day, planned, isDeload: week % athlete.deloadEvery === 0 }, journal);
  athlete.practiceWeeks += 1 / split.days.length;
}

function logWorkout(
  athlete: Athlete,
  { day, planned, isDeload }: { day: number; planned: number; isDeload: boolean },
  { exercises, tables }: Journal,
) {
  const { random } = athlete;
  const routine = athlete.routines[
    planned % athlete.routines.length
  ] as Athlete["routines"][number];
  const startedAtMs = startTimeMs(athlete, day);
  const workoutId = uuidAt(startedAtMs, random);
  const isAborted = random.happens(ABORTED_SHARE);
  const done = isAborted ? random.whole(1, routine.lifts.length - 2) : routine.lifts.length;
  const form = (1 + 0.015 * random.bell()) * (isDeload ? DELOAD : 1);
  const moment: Moment = {
    athlete,
    ability: 0,
    isDeload,
    atMs: startedAtMs + random.whole(120, 480) * 1000,
  };
  let position = 0;
  for (const { lift, ability, targets } of routine.lifts) {
    position++;
    const exercise = exercises.get(lift.slug) as KnownExercise;
    const entryId = uuidAt(startedAtMs, random);
    logEntry(tables, entryId, workoutId, position, exercise, lift, targets);
    if (position > done || (position > 3 && random.happens(LEFT_OUT_SHARE))) continue;
    moment.ability = currentAbility(athlete, ability) * form;
    logLift(moment, lift, entryId, tables.sets);
    moment.atMs += random.whole(60, 240) * 1000;
  }
  beginWorkout(athlete, workoutId, { ...athlete.plan, routine }, tables);
  tables.workouts.bytes(undefined);
  finishWorkout(
    athlete,
    startedAtMs,
    moment.atMs + random.whole(30, 300) * 1000,
    isAborted,
    tables,
  );
}

const RUN_NAME = Buffer.from("Run");

function logRun(athlete: Athlete, day: number, { exercises, tables }: Journal) {
  const { random } = athlete;
  const startedAtMs = startTimeMs(athlete, day);
  const workoutId = uuidAt(startedAtMs, random);
  const entryId = uuidAt(startedAtMs, random);
  logEntry(tables, entryId, workoutId, 1, exercises.get(RUN.slug) as KnownExercise, RUN);
  const ability = currentAbility(athlete, athlete.run) * (1 + 0.15 * random.bell());
  const moment: Moment = { athlete, ability, isDeload: false, atMs: startedAtMs };
  logLift(moment, RUN, entryId, tables.sets);
  beginWorkout(athlete, workoutId, undefined, tables);
  tables.workouts.bytes(RUN_NAME);
  finishWorkout(athlete, startedAtMs, moment.atMs + 60_000, false, tables);
}

function startTimeMs({ random, trainsAtMs }: Athlete, day: number): number {
  return day * DAY_MS + trainsAtMs + random.whole(-2400, 2400) * 1000 + random.whole(0, 999);
}

/** Gains diminish: half of the possible gain after `halfWeeks`, three quarters after 3 × that. */
function currentAbility({ practiceWeeks, halfWeeks }: Athlete, { start, gain }: Ability): number {
  return start * (1 + (gain * 2 * practiceWeeks) / (practiceWeeks + halfWeeks));
}

function logEntry(
  { exercises }: WorkoutTables,
  entryId: Uint8Array,
  workoutId: Uint8Array,
  position: number,
  exercise: KnownExercise,
  { mode }: Lift,
  targets?: Uint8Array,
) {
  exercises.startRow();
  exercises.bytes(entryId);
  exercises.bytes(workoutId);
  exercises.int2(position);
  exercises.bytes(exercise.id);
  exercises.bytes(exercise.name);
  exercises.bytes(WORDS[mode]);
  exercises.bytes(targets);
}

type Plan = { id: Uint8Array; name: Uint8Array; routine: { id: Uint8Array; name: Uint8Array } };

/** Starts the row of a workout. The next column is the name. */
function beginWorkout(
  athlete: Athlete,
  id: Uint8Array,
  plan: Plan | undefined,
  { workouts }: WorkoutTables,
) {
  workouts.startRow();
  workouts.bytes(id);
  workouts.bytes(athlete.id);
  for (const value of [plan?.id, plan?.name, plan?.routine.id, plan?.routine.name])
    workouts.bytes(value);
}

function finishWorkout(
  { timeZone, bodyWeightKg, bodyWeightDrift, practiceWeeks, random }: Athlete,
  startedAtMs: number,
  endedAtMs: number,
  isAborted: boolean,
  { workouts }: WorkoutTables,
) {
  const drift = (bodyWeightDrift * practiceWeeks) / (practiceWeeks + 30);
  const weightHg = Math.round(bodyWeightKg * 10 * (1 + drift) + 6 * random.bell());
  workouts.bytes(isAborted ? WORDS.aborted : WORDS.completed);
  workouts.timestamptz(startedAtMs);
  workouts.timestamptz(endedAtMs);
  workouts.bytes(timeZone);
  workouts.bytes(numericBytes(weightHg * 1000, 3));
  workouts.timestamptz(startedAtMs);
  workouts.timestamptz(endedAtMs);
}
