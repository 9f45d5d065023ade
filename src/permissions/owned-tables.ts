/** Where the rows of a table are copied to; null with a reason in `why`. */
type Copies = {
  /** The list of an archive (`src/archive`) that holds them. */
  archive: "exercises" | "routines" | "plans" | "workouts" | null;
  /** The kind by which devices synchronise them (`src/sync`). */
  sync: "exercise" | "routine" | "plan" | "workout" | null;
  /** Why they are not in archives, or not synchronised. */
  why?: string;
};

export type OwnedTable =
  | (Copies & {
      /** The columns with the id of an account, each of which owns the row. */
      owners: string[];
      /**
       * What happens to the rows when such an account is deleted: a foreign key or a trigger
       * deletes them, or they are kept.
       */
      onDelete: "cascade" | "trigger" | "kept";
      /** Columns with the id of another account, set to null when that is deleted. */
      mentions?: string[];
    })
  /** A part of a row of `parent`: deleted by a foreign key, archived and synchronised with it. */
  | { parent: string };

/**
 * Every table with data of accounts. A new table must be added here or to `SHARED_TABLES`. A test
 * compares this with the schema, the deletion of accounts, archives and the change feed.
 */
export const OWNED_TABLES: Record<string, OwnedTable> = {
  exercises: { owners: ["owner_id"], onDelete: "cascade", archive: "exercises", sync: "exercise" },
  exercise_primary_muscles: { parent: "exercises" },
  exercise_secondary_muscles: { parent: "exercises" },
  exercise_equipment: { parent: "exercises" },
  exercise_tag_links: { parent: "exercises" },
  exercise_counts: {
    owners: ["owner_id"],
    onDelete: "trigger",
    archive: null,
    sync: null,
    why: "counted from exercises",
  },
  routines: { owners: ["owner_id"], onDelete: "cascade", archive: "routines", sync: "routine" },
  routine_exercises: { parent: "routines" },
  plans: {
    owners: ["owner_id"],
    mentions: ["assigned_by"],
    onDelete: "cascade",
    archive: "plans",
    sync: "plan",
  },
  plan_routines: { parent: "plans" },
  workouts: { owners: ["user_id"], onDelete: "cascade", archive: "workouts", sync: "workout" },
  workout_exercises: { parent: "workouts" },
  workout_sets: { parent: "workout_exercises" },
  imports: {
    owners: ["user_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "says only which workouts came from a file; those are archived and synchronised",
  },
  import_names: {
    owners: ["user_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "choices about imported files, which the user can repeat",
  },
  clients: {
    owners: ["trainer_id", "client_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "an agreement of two accounts, which one of them cannot export",
  },
  grants: {
    owners: ["owner_id", "grantee_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "names another account, which need not exist where an archive is imported",
  },
  links: {
    owners: ["owner_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "only a hash of the token is stored, so a copy would be a link without a token",
  },
  logins: {
    owners: ["user_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "credentials",
  },
  idempotency_keys: {
    owners: ["user_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "replies to repeated requests, for 24 hours",
  },
  changes: {
    owners: ["user_id"],
    onDelete: "cascade",
    archive: null,
    sync: null,
    why: "the feed itself",
  },
  last_writes: {
    owners: ["user_id"],
    onDelete: "kept",
    archive: null,
    sync: null,
    why: "positions in the log of the database, deleted soon after the replicas have passed them",
  },
  audit_events: {
    owners: ["actor_user_id", "target_user_id"],
    onDelete: "kept",
    archive: null,
    sync: null,
    why: "append-only: an operator must see what was done to accounts that no longer exist",
  },
};

/** Tables without data of accounts, with their contents. */
export const SHARED_TABLES: Record<string, string> = {
  users: "the accounts themselves",
  roles: "what accounts may do",
  equipment: "catalog",
  muscle_groups: "catalog",
  exercise_tags: "catalog",
  seed_removals: "exercises of the catalog that an operator deleted",
  attempts: "counters by account and address, deleted when their window is over",
  feed_generation: "the history that cursors of the feed belong to",
  live_processes: "heartbeats of processes",
  schema_migrations: "applied migrations",
};
