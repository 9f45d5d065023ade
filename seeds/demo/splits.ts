/** An exercise of the catalog with the figures of an intermediate athlete. */
export type Lift = {
  slug: string;
  mode: "reps" | "time" | "distance";
  /** The one-repetition maximum as a share of body weight; undefined without a weight. */
  load?: number;
  /** Repetitions, seconds or meters of a set without a weight. */
  amount?: number;
  /** Amounts are multiples of this. */
  step?: number;
  repsMin?: number;
  repsMax?: number;
  sets: number;
  restS: number;
  warmUps: number;
};

export type Routine = { name: string; lifts: Lift[] };
export type Split = {
  name: string;
  routines: Routine[];
  /** Days of the week (0 is Monday) on which the routines alternate. */
  days: number[];
};

const main = (
  slug: string,
  load: number,
  repsMin: number,
  repsMax: number,
  sets: number,
  warmUps = 2,
): Lift => ({
  slug,
  mode: "reps",
  load,
  repsMin,
  repsMax,
  sets,
  restS: repsMax <= 6 ? 180 : 150,
  warmUps,
});
const extra = (slug: string, load: number, repsMin = 8, repsMax = 12, sets = 3): Lift => ({
  slug,
  mode: "reps",
  load,
  repsMin,
  repsMax,
  sets,
  restS: repsMin >= 10 ? 75 : 90,
  warmUps: 0,
});
const bodyweight = (slug: string, amount: number, sets = 3): Lift => ({
  slug,
  mode: "reps",
  amount,
  step: 1,
  repsMin: 3,
  repsMax: 20,
  sets,
  restS: 120,
  warmUps: 0,
});
const hold = (slug: string, amount: number, sets = 3): Lift => ({
  slug,
  mode: "time",
  amount,
  step: 5,
  sets,
  restS: 60,
  warmUps: 0,
});
const distance = (slug: string, amount: number): Lift => ({
  slug,
  mode: "distance",
  amount,
  step: 100,
  sets: 1,
  restS: 0,
  warmUps: 0,
});

const squat = main("barbell-back-squat", 1.35, 5, 8, 4, 3);
const frontSquat = main("barbell-front-squat", 1.05, 5, 8, 4);
const bench = main("barbell-bench-press", 1.0, 5, 8, 4);
const incline = main("incline-dumbbell-bench-press", 0.7, 6, 10, 4, 1);
const deadlift = main("deadlift", 1.6, 3, 6, 3, 3);
const romanian = main("barbell-romanian-deadlift", 1.15, 6, 10, 3, 1);
const overhead = main("barbell-overhead-press", 0.65, 5, 8, 4);
const row = main("bent-over-barbell-row", 0.85, 6, 10, 4, 1);
const dumbbellPress = extra("seated-dumbbell-shoulder-press", 0.5);
const pulldown = extra("lat-pulldown", 0.85);
const cableRow = extra("seated-cable-row", 0.8);
const legPress = extra("leg-press", 2.2, 8, 12, 3);
const lunge = extra("dumbbell-lunge", 0.5, 8, 12, 3);
const legCurl = extra("lying-leg-curl", 0.55, 10, 15);
const legExtension = extra("leg-extension", 0.8, 10, 15);
const calves = extra("standing-machine-calf-raise", 1.3, 10, 15, 4);
const hipThrust = extra("barbell-hip-thrust", 1.5, 6, 10);
const curl = extra("barbell-curl", 0.45);
const hammer = extra("hammer-curl", 0.32, 10, 15);
const pushdown = extra("triceps-pushdown", 0.45, 10, 15);
const skullCrusher = extra("barbell-skull-crusher", 0.45);
const lateral = extra("dumbbell-lateral-raise", 0.22, 10, 15);
const facePull = extra("cable-face-pull", 0.4, 10, 15);
const crunch = extra("cable-crunch", 0.65, 10, 15);
const pullUp = bodyweight("pull-up", 9, 4);
const dip = bodyweight("chest-dip", 12);
const plank = hold("plank", 60);
const sidePlank = hold("side-plank", 40, 2);
const rowing = distance("rowing-machine", 1500);

/** The exercise of runners on a day without weights; in no routine. */
export const RUN = distance("running", 5000);

/** The training splits of demo athletes. */
export const SPLITS: readonly Split[] = [
  {
    name: "Full body, three days",
    days: [0, 2, 4],
    routines: [
      { name: "Full body A", lifts: [squat, bench, row, dumbbellPress, curl, plank] },
      { name: "Full body B", lifts: [deadlift, overhead, pullUp, lunge, pushdown, crunch] },
      {
        name: "Full body C",
        lifts: [frontSquat, incline, cableRow, legCurl, lateral, calves, rowing],
      },
    ],
  },
  {
    name: "Upper and lower, four days",
    days: [0, 1, 3, 4],
    routines: [
      { name: "Upper A", lifts: [bench, row, dumbbellPress, pulldown, curl, pushdown] },
      { name: "Lower A", lifts: [squat, romanian, legPress, legCurl, calves, plank] },
      { name: "Upper B", lifts: [overhead, pullUp, incline, cableRow, lateral, hammer] },
      {
        name: "Lower B",
        lifts: [deadlift, frontSquat, lunge, legExtension, crunch, sidePlank, rowing],
      },
    ],
  },
  {
    name: "Push, pull, legs, five days",
    days: [0, 1, 2, 4, 5],
    routines: [
      { name: "Push A", lifts: [bench, overhead, incline, lateral, pushdown, dip] },
      { name: "Pull A", lifts: [deadlift, pullUp, row, facePull, curl, hammer] },
      { name: "Legs A", lifts: [squat, romanian, legPress, legExtension, calves, plank] },
      { name: "Push B", lifts: [overhead, bench, dumbbellPress, lateral, skullCrusher] },
      { name: "Pull B", lifts: [row, pulldown, cableRow, facePull, curl, crunch] },
    ],
  },
  {
    name: "Push, pull, legs, six days",
    days: [0, 1, 2, 3, 4, 5],
    routines: [
      { name: "Push A", lifts: [bench, overhead, incline, lateral, pushdown] },
      { name: "Pull A", lifts: [deadlift, pullUp, row, facePull, curl] },
      { name: "Legs A", lifts: [squat, romanian, legPress, legCurl, calves] },
      { name: "Push B", lifts: [overhead, bench, dumbbellPress, dip, skullCrusher] },
      { name: "Pull B", lifts: [row, pulldown, cableRow, facePull, hammer, plank] },
      { name: "Legs B", lifts: [frontSquat, hipThrust, lunge, legExtension, crunch, rowing] },
    ],
  },
];

/** All lifts, without duplicates. */
export const LIFTS: readonly Lift[] = [
  ...new Set([...SPLITS.flatMap(({ routines }) => routines.flatMap(({ lifts }) => lifts)), RUN]),
];
