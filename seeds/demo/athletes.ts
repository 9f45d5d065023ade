import { jsonbBytes, textBytes } from "#db/copy.ts";
import { createRandom, type Random, uuidAt } from "./random.ts";
import { LIFTS, type Lift, RUN, SPLITS, type Split } from "./splits.ts";

const DAY_MS = 86_400_000;

/**
 * The ability of an athlete in a lift: `start` at first, and a share `gain` of it more after
 * `halfWeeks` of training.
 */
export type Ability = { start: number; gain: number };

export type AthleteRoutine = {
  id: Uint8Array;
  name: Uint8Array;
  lifts: { id: Uint8Array; lift: Lift; ability: Ability; targets: Uint8Array }[];
};

export type Athlete = {
  nth: number;
  id: Uint8Array;
  email: string;
  name: string;
  split: Split;
  plan: { id: Uint8Array; name: Uint8Array; days: { id: Uint8Array; weekday: number }[] };
  routines: AthleteRoutine[];
  run: Ability;
  unit: "kg" | "lb";
  timeZone: Uint8Array;
  /** The usual start of training, in ms of the UTC day, without daylight saving time. */
  trainsAtMs: number;
  bodyWeightKg: number;
  bodyWeightDrift: number;
  /** Weeks of training until half of the possible gain is reached. */
  halfWeeks: number;
  /** The interval of deload weeks. */
  deloadEvery: number;
  missedShare: number;
  /** The usual repetitions in reserve. */
  reserve: number;
  logsRpe: boolean;
  runs: boolean;
  /** Shifts the days of training within the week. */
  weekShift: number;
  /** Days without training, in days since 1970. */
  holidays: Set<number>;
  /** Weeks of training so far; holidays reduce it. */
  practiceWeeks: number;
  random: Random;
};

const LEVELS = [
  { weight: 0.35, strength: 0.62, gain: 0.4, halfWeeks: 26, missed: 0.14 },
  { weight: 0.45, strength: 0.95, gain: 0.12, halfWeeks: 40, missed: 0.09 },
  { weight: 0.2, strength: 1.3, gain: 0.06, halfWeeks: 52, missed: 0.05 },
] as const;

/** Time zones with their standard offset from UTC. */
const ZONES = [
  { zone: "Europe/Berlin", hours: 1, unit: "kg" },
  { zone: "Europe/London", hours: 0, unit: "kg" },
  { zone: "Europe/Madrid", hours: 1, unit: "kg" },
  { zone: "America/New_York", hours: -5, unit: "lb" },
  { zone: "America/Chicago", hours: -6, unit: "lb" },
  { zone: "America/Sao_Paulo", hours: -3, unit: "kg" },
  { zone: "Asia/Tokyo", hours: 9, unit: "kg" },
  { zone: "Australia/Sydney", hours: 10, unit: "kg" },
] as const;

const FIRST_NAMES =
  "Ada Amir Bea Carlos Chidi Dana Elif Emil Farah Greta Hana Hugo Ines Ivan Jonas Kaia Lena Luca Maja Milo Nia Noor Olga Omar Petra Priya Quinn Rafael Rosa Samir Selma Tariq Tess Uma Viktor Wanda Xenia Yara Yusuf Zoe";
const LAST_NAMES =
  "Adler Becker Castro Dubois Eriksen Ferrari Garcia Haas Ibrahim Jansen Kaya Lindqvist Moreau Novak Okafor Patel Quist Rossi Sato Tanaka Ueda Vogel Weber Xu Yilmaz Zeman";

/**
 * Generates athlete `nth` of a seed, who trains from `firstDay` until before `endDay` (days since
 * 1970). The same arguments give the same athlete with the same ids.
 */
export function generateAthlete(
  seed: number,
  nth: number,
  firstDay: number,
  endDay: number,
): Athlete {
  const random = createRandom(seed, nth);
  const startMs = firstDay * DAY_MS + random.whole(0, DAY_MS / 4);
  const level = pickLevel(random);
  const split = random.pick(SPLITS);
  const { zone, hours, unit } = random.pick(ZONES);
  const hour = random.pick([6, 7, 12, 17, 17, 18, 18, 19]);
  const talent = 1 + 0.12 * random.bell();
  const abilityIn = (lift: Lift): Ability => ({
    start: (lift.load ?? lift.amount ?? 1) * level.strength * talent * (1 + 0.08 * random.bell()),
    gain: level.gain * (1 + 0.2 * random.bell()),
  });
  const abilities = new Map(LIFTS.map((lift) => [lift, abilityIn(lift)]));
  return {
    nth,
    id: uuidAt(startMs, random),
    email: `demo-${seed}-${nth}@example.com`,
    name: `${random.pick(FIRST_NAMES.split(" "))} ${random.pick(LAST_NAMES.split(" "))}`,
    split,
    plan: {
      id: uuidAt(startMs + 120_000, random),
      name: textBytes(split.name),
      days: split.days.map((weekday) => ({ id: uuidAt(startMs + 120_000, random), weekday })),
    },
    routines: split.routines.map(({ name, lifts }, index) => ({
      id: uuidAt(startMs + 60_000 + index, random),
      name: textBytes(name),
      lifts: lifts.map((lift) => ({
        id: uuidAt(startMs + 60_000 + index, random),
        lift,
        ability: abilities.get(lift) as Ability,
        targets: jsonbBytes(targetsOf(lift)),
      })),
    })),
    run: abilities.get(RUN) as Ability,
    unit,
    timeZone: textBytes(zone),
    trainsAtMs: (hour - hours) * 3_600_000,
    bodyWeightKg: random.whole(520, 1080) / 10,
    bodyWeightDrift: 0.04 * random.bell(),
    halfWeeks: level.halfWeeks,
    deloadEvery: random.whole(4, 8),
    missedShare: level.missed * random.between(0.5, 1.5),
    reserve: random.between(1, 2.5),
    logsRpe: random.happens(0.7),
    runs: random.happens(0.25),
    weekShift: random.whole(0, 1),
    holidays: generateHolidays(random, firstDay, endDay),
    practiceWeeks: 0,
    random,
  };
}

/** The targets of a lift in a routine, in the form that a workout stores. */
export function targetsOf({ sets, repsMin, repsMax, mode, amount, restS }: Lift) {
  return {
    sets,
    repsMin: mode === "reps" ? repsMin : undefined,
    repsMax: mode === "reps" ? repsMax : undefined,
    timeS: mode === "time" ? amount : undefined,
    distanceM: mode === "distance" ? amount : undefined,
    restS,
  };
}

function pickLevel(random: Random): (typeof LEVELS)[number] {
  const share = random.share();
  if (share < LEVELS[0].weight) return LEVELS[0];
  return share < LEVELS[0].weight + LEVELS[1].weight ? LEVELS[1] : LEVELS[2];
}

/** Two or three gaps of one to three weeks in each year. */
function generateHolidays(random: Random, firstDay: number, endDay: number): Set<number> {
  const days = new Set<number>();
  for (let year = firstDay; year < endDay; year += 365) {
    const gaps = random.whole(2, 3);
    for (let gap = 0; gap < gaps; gap++) {
      const from = year + random.whole(14, 340);
      const length = random.whole(7, 21);
      for (let day = from; day < from + length; day++) days.add(day);
    }
  }
  return days;
}
