import type { Db } from "#db/client.ts";
import { type LoginRow, listLiveLogins, revokeLogins } from "../access/access.queries.ts";
import { endLogins } from "../access/access.service.ts";
import { insertAuditEvent, type Origin } from "../audit/audit.queries.ts";
import { findUser } from "./users.queries.ts";
import { type UserDeps, userNotFound } from "./users.service.ts";

/** The live logins of the account of that address, the one used last first. For operators. */
export async function listLoginsOf(db: Db, email: string): Promise<LoginRow[]> {
  const user = await findUser(db, { email });
  if (!user) throw userNotFound();
  return listLiveLogins(db, user.id, Date.now());
}

/**
 * Ends every login of the account of that address and returns how many there were. For operators.
 */
export async function endLoginsOf(deps: UserDeps, origin: Origin, email: string): Promise<number> {
  const user = await findUser(deps.db, { email });
  if (!user) throw userNotFound();
  return endLogins(deps, { userId: user.id }, async (tx) => {
    const ended = await revokeLogins(tx, user.id, "all", "revoked");
    await insertAuditEvent(tx, origin, "access.logins_revoked", {
      targetUserId: user.id,
      detail: `${ended} logins`,
    });
    return ended;
  });
}
