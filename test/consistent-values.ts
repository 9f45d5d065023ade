type Fields = Record<string, unknown>;

const METRIC_OF_MODE: Record<string, string[]> = {
  reps: ["reps", "repsMin", "repsMax"],
  time: ["timeS"],
  distance: ["distanceM"],
};
const METRICS = Object.values(METRIC_OF_MODE).flat();

/**
 * `value` with what rules want of fields together put right, so that it gets past them as often as
 * not.
 */
export function consistent(value: unknown, mode?: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => consistent(entry, mode));
  if (typeof value !== "object" || value === null) return value;
  const given = { ...(value as Fields) };
  const own = typeof given.mode === "string" ? given.mode : mode;
  for (const [name, inner] of Object.entries(given)) given[name] = consistent(inner, own);
  keepMetricsOf(own, given);
  pair(given);
  if ("confirmPassword" in given) given.confirmPassword = given.password;
  if (typeof given.startedAt === "string" && typeof given.endedAt === "string")
    given.endedAt = endOf(given.startedAt, given);
  if ("status" in given && "startedAt" in given)
    given.status = given.endedAt ? "completed" : "in_progress";
  if (Array.isArray(given.routines)) given.routines = given.routines.slice(0, 40);
  // A grant and a link are of a routine or a plan.
  if (!("timeZone" in given) && given.planId && given.routineId) delete given.planId;
  return given;
}

function keepMetricsOf(mode: unknown, given: Fields) {
  if (typeof mode !== "string") return;
  const kept = METRIC_OF_MODE[mode] ?? [];
  for (const name of METRICS) if (name in given && !kept.includes(name)) given[name] = null;
}

function pair(given: Fields) {
  if (typeof given.weight === "number") given.weightUnit ??= "kg";
  else if ("weightUnit" in given) given.weightUnit = null;
  const [least, most] = [given.repsMin, given.repsMax];
  if (typeof least !== "number" || typeof most !== "number") {
    if ("repsMin" in given) given.repsMin = null;
    if ("repsMax" in given) given.repsMax = null;
  } else Object.assign(given, { repsMin: Math.min(least, most), repsMax: Math.max(least, most) });
  if (
    "sets" in given &&
    typeof given.sets === "number" &&
    typeof given.rpe === "number" &&
    "rir" in given
  )
    given.rir = null;
}

/** An end that is no earlier, and no more than seven days later. */
function endOf(startedAt: string, { endedAt }: Fields): unknown {
  const [startMs, endMs] = [
    Date.parse(startedAt.toUpperCase()),
    Date.parse(String(endedAt).toUpperCase()),
  ];
  if (Number.isNaN(startMs) || (endMs >= startMs && endMs - startMs <= 7 * 86_400_000))
    return endedAt;
  return startMs > Date.UTC(2199, 11, 30) ? startedAt : startedAt.replace(/T\d\d:\d\d/i, "T23:59");
}
