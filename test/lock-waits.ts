import type { Db } from "#db/client.ts";

/**
 * Returns once `count` connections to the database wait for a lock. Gives up after 2 s, or when
 * `answer` settles, which is for requests that may not have to wait.
 */
export async function waitUntilBlocked(
  { sql }: Pick<Db, "sql">,
  { count = 1, answer }: { count?: number; answer?: Promise<unknown> } = {},
): Promise<void> {
  let isAnswered = false;
  const onAnswer = () => {
    isAnswered = true;
  };
  answer?.then(onAnswer, onAnswer);
  for (let tries = 0; tries < 200 && !isAnswered; tries++) {
    const blocked = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    if (blocked.length >= count) return;
    await Bun.sleep(10);
  }
}
