import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { type Formula, MAX_REPS, MIN_RPE, RPE_PERCENT } from "./one-rep-max.rules.ts";

/**
 * `oneRepMax` in SQL for the row of `workout_sets`, in kg: the same formulas with the same limits.
 */
export function estimatedOneRepMax(sql: Db["sql"], formula: Formula): Fragment {
  const reps = sql`workout_sets.reps`;
  const exertion = sql`coalesce(rpe, 10 - rir)`;
  const formulas = {
    epley: sql`case ${reps} when 1 then weight_kg else weight_kg * (1 + ${reps} / 30.0) end`,
    brzycki: sql`weight_kg * 36.0 / (37 - ${reps})`,
    lombardi: sql`weight_kg * power(${reps}::float8, 0.1)::numeric`,
    rpe_table: sql`case
      when ${exertion} between ${MIN_RPE}::int and 10
      then weight_kg * 100
        / (${PERCENT}::numeric[])[1 + (${reps} - 1) * 2 + ((10 - ${exertion}) * 2)::int]
    end`,
  };
  return sql`case
    when weight_kg > 0 and ${reps} between 1 and ${MAX_REPS}::int then ${formulas[formula]}
  end`;
}

/**
 * The table as the text of a PostgreSQL array. PostgreSQL parses an array parameter once, but would
 * cast a text for every set.
 */
const PERCENT = `{${RPE_PERCENT.join(",")}}`;
