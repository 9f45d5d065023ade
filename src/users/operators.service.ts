import type { Db } from "#db/client.ts";
import { type LoginRow, listLiveLogins, revokeLogins } from "../access/access.queries.ts";
import { endLogins } from "../access/access.service.ts";
import { insertAuditEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import { type UserDeps, userNotFound } from "./guards.service.ts";
import { findUser } from "./users.queries.ts";

/** Lists the live logins of an account for an operator, most recently used first. */
export async function listLoginsOf(db: Db, email: string): Promise<LoginRow[]> {
  const user = await findUser(db, { email });
  if (!user) throw userNotFound();
  return listLiveLogins(db, user.id, Date.now());
}

/** Ends all logins of an account for an operator, and returns their number. */
export async function endLoginsOf(deps: UserDeps, origin: Origin, email: string): Promise<number> {
  const user = await findUser(deps.db, { email });
  if (!user) throw userNotFound();
  return endLogins(deps, { userId: user.id }, async (tx) => {
    const revokedCount = await revokeLogins(tx, user.id, "all", "revoked");
    await insertAuditEvent(tx, origin, "access.logins_revoked", {
      targetUserId: user.id,
      detail: `${revokedCount} logins`,
    });
    return revokedCount;
  });
}
