type Fields = Record<string, unknown>;

const METRIC_OF_MODE: Record<string, string[]> = {
  reps: ["reps", "repsMin", "repsMax"],
  time: ["timeS"],
  distance: ["distanceM"],
};
const METRICS = Object.values(METRIC_OF_MODE).flat();

/** A copy of `value` that satisfies the rules between fields, so that it often passes validation. */
export function consistent(value: unknown, mode?: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => consistent(entry, mode));
  if (typeof value !== "object" || value === null) return value;
  const copy = { ...(value as Fields) };
  const own = typeof copy.mode === "string" ? copy.mode : mode;
  for (const [name, inner] of Object.entries(copy)) copy[name] = consistent(inner, own);
  keepMetricsOf(own, copy);
  pair(copy);
  if ("confirmPassword" in copy) copy.confirmPassword = copy.password;
  if (typeof copy.startedAt === "string" && typeof copy.endedAt === "string")
    copy.endedAt = endOf(copy.startedAt, copy);
  if ("status" in copy && "startedAt" in copy)
    copy.status = copy.endedAt ? "completed" : "in_progress";
  if (Array.isArray(copy.routines)) copy.routines = copy.routines.slice(0, 40);
  // A grant and a link have a routine or a plan, not both.
  if (!("timeZone" in copy) && copy.planId && copy.routineId) delete copy.planId;
  return copy;
}

function keepMetricsOf(mode: unknown, copy: Fields) {
  if (typeof mode !== "string") return;
  const kept = METRIC_OF_MODE[mode] ?? [];
  for (const name of METRICS) if (name in copy && !kept.includes(name)) copy[name] = null;
}

function pair(copy: Fields) {
  if (typeof copy.weight === "number") copy.weightUnit ??= "kg";
  else if ("weightUnit" in copy) copy.weightUnit = null;
  const [min, max] = [copy.repsMin, copy.repsMax];
  if (typeof min !== "number" || typeof max !== "number") {
    if ("repsMin" in copy) copy.repsMin = null;
    if ("repsMax" in copy) copy.repsMax = null;
  } else Object.assign(copy, { repsMin: Math.min(min, max), repsMax: Math.max(min, max) });
  if (
    "sets" in copy &&
    typeof copy.sets === "number" &&
    typeof copy.rpe === "number" &&
    "rir" in copy
  )
    copy.rir = null;
}

/** A valid end: not earlier, and at most seven days later. */
function endOf(startedAt: string, { endedAt }: Fields): unknown {
  const [startMs, endMs] = [
    Date.parse(startedAt.toUpperCase()),
    Date.parse(String(endedAt).toUpperCase()),
  ];
  if (Number.isNaN(startMs) || (endMs >= startMs && endMs - startMs <= 7 * 86_400_000))
    return endedAt;
  return startMs > Date.UTC(2199, 11, 30) ? startedAt : startedAt.replace(/T\d\d:\d\d/i, "T23:59");
}
