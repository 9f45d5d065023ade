import type { CopyBuffer } from "#db/copy.ts";
import type { Athlete } from "./athletes.ts";
import { type Random, uuidAt } from "./random.ts";
import type { Lift } from "./splits.ts";
import { effortOf, loadOf, WORDS } from "./tables.ts";

const KG_PER_LB = 0.45359237;
/** Repetitions that each set costs the next one. */
const FATIGUE = 0.6;
const WARM_UPS = [
  { share: 0.4, reps: 8 },
  { share: 0.6, reps: 5 },
  { share: 0.8, reps: 3 },
] as const;

/** The state during a workout: the ability of the athlete that day, and the time of the next set. */
export type Moment = { athlete: Athlete; ability: number; isDeload: boolean; atMs: number };

type Figures = {
  type: Uint8Array;
  weight?: number;
  reps?: number;
  timeS?: number;
  distanceM?: number;
  rpe?: number;
  /** Duration of the set. */
  durationS: number;
};

/** Logs the sets of one lift, warm-ups first, and advances `moment.atMs` to their end. */
export function logLift(moment: Moment, lift: Lift, entryId: Uint8Array, sets: CopyBuffer): void {
  if (lift.load !== undefined) logWeighted(moment, lift, entryId, sets);
  else logUnweighted(moment, lift, entryId, sets);
}

/**
 * Chooses a weight that leaves some repetitions in reserve in the middle of the range, rounded down
 * to a weight that can be loaded. The repetitions follow from Epley's formula (w (1 + r / 30), see
 * `one-rep-max.rules.ts`).
 */
function logWeighted(moment: Moment, lift: Lift, entryId: Uint8Array, sets: CopyBuffer) {
  const { athlete, isDeload } = moment;
  const { repsMin = 5, repsMax = 10 } = lift;
  const perUnit = athlete.unit === "kg" ? 1 : KG_PER_LB;
  const step = athlete.unit === "kg" ? 2.5 : 5;
  const maxWeight = (moment.ability * athlete.bodyWeightKg) / perUnit;
  const loadable = (weight: number) => Math.max(step, Math.floor(weight / step) * step);
  const weight = loadable(maxWeight / (1 + ((repsMin + repsMax) / 2 + athlete.reserve) / 30));
  let position = 1;
  for (const { share, reps } of WARM_UPS.slice(0, lift.warmUps)) {
    const lighter = { type: WORDS.warmup, weight: loadable(weight * share), reps, durationS: 20 };
    logSet(moment, lift, entryId, position++, lighter, sets);
  }
  const working = lift.sets - (isDeload ? 1 : 0);
  for (let set = 0; set < working; set++) {
    const possible = Math.max(1, 30 * (maxWeight / weight - 1) - FATIGUE * set);
    const isToFailure =
      set === working - 1 && repsMin >= 8 && !isDeload && athlete.random.happens(0.15);
    const target = isToFailure
      ? Math.floor(possible)
      : Math.floor(possible - athlete.reserve + 0.5);
    const reps = Math.min(isToFailure ? repsMax + 5 : repsMax, Math.max(1, target));
    const rpe = Math.min(10, Math.max(5, Math.round(2 * (10 - (possible - reps))) / 2));
    const type = isToFailure ? WORDS.failure : WORDS.working;
    logSet(
      moment,
      lift,
      entryId,
      position++,
      { type, weight, reps, rpe, durationS: 8 + 3 * reps },
      sets,
    );
  }
}

function logUnweighted(moment: Moment, lift: Lift, entryId: Uint8Array, sets: CopyBuffer) {
  const { random, reserve } = moment.athlete;
  const step = lift.step ?? 1;
  for (let set = 0; set < lift.sets; set++) {
    const possible = moment.ability * (1 - 0.07 * set) * (1 + 0.03 * random.bell());
    const amount = Math.max(step, Math.floor(possible / step) * step);
    logSet(moment, lift, entryId, set + 1, figuresOf(lift, amount, random, reserve), sets);
  }
}

function figuresOf({ mode }: Lift, amount: number, random: Random, reserve: number): Figures {
  const rpe = 10 - Math.round(reserve * 2) / 2;
  if (mode === "time") return { type: WORDS.working, timeS: amount, rpe, durationS: amount };
  if (mode === "reps") return { type: WORDS.working, reps: amount, rpe, durationS: 8 + 3 * amount };
  return {
    type: WORDS.working,
    distanceM: amount,
    rpe,
    durationS: Math.round(amount * random.between(0.3, 0.4)),
  };
}

const scratchId = new Uint8Array(16);

function logSet(
  moment: Moment,
  lift: Lift,
  entryId: Uint8Array,
  position: number,
  figures: Figures,
  sets: CopyBuffer,
) {
  const { random, unit, logsRpe } = moment.athlete;
  const { type, weight, reps, timeS, distanceM, rpe, durationS } = figures;
  moment.atMs += durationS * 1000 + random.whole(0, 999);
  const restS = lift.restS === 0 ? 0 : Math.round((lift.restS * random.between(0.7, 1.4)) / 5) * 5;
  sets.startRow();
  sets.bytes(uuidAt(moment.atMs, random, scratchId));
  sets.bytes(entryId);
  sets.bytes(WORDS[lift.mode]);
  sets.int2(position);
  sets.bytes(type);
  const load = weight === undefined ? undefined : loadOf(weight, unit);
  sets.bytes(load?.weight);
  sets.bytes(load && WORDS[unit]);
  sets.bytes(load?.weightKg);
  sets.int2(reps);
  sets.int4(timeS);
  sets.int4(distanceM);
  sets.bytes(rpe === undefined || !logsRpe ? undefined : effortOf(rpe));
  sets.int4(restS === 0 ? undefined : restS);
  sets.timestamptz(moment.atMs);
  moment.atMs += restS * 1000;
}
