import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { Limit } from "./attempts.queries.ts";

const QUARTER_HOUR_S = 900;
const HOUR_S = 3600;

const fingerprint = (text: string) => createHash("sha256").update(text).digest("base64url");

/**
 * Failed sign-ins are counted for the account and for the address. A device that has signed in to
 * the account before is counted by its last login instead of the account, so that strangers who
 * guess cannot lock the owner out.
 */
export function signInLimits(
  config: Config,
  email: string,
  address: string | null,
  deviceLoginId: string | undefined,
): Limit[] {
  const ofAccount: Limit = {
    key: deviceLoginId ? `device:${deviceLoginId}` : `account:${fingerprint(email)}`,
    maxAttempts: config.SIGN_IN_FREE_FAILURES,
    delayS: config.SIGN_IN_DELAY_S,
    windowS: QUARTER_HOUR_S,
  };
  if (address === null) return [ofAccount];
  return [ofAccount, hourlyLimit(`address:${address}`, config.SIGN_IN_FAILURES_PER_ADDRESS)];
}

/** Whether a key of `signInLimits` counts an address, which several users may share. */
export const isAddressKey = (key: string) => key.startsWith("address:");

export const signUpLimits = (config: Config, address: string | null): Limit[] =>
  address === null ? [] : [hourlyLimit(`signup:${address}`, config.SIGN_UPS_PER_ADDRESS)];

export const refreshLimits = (config: Config, loginId: string): Limit[] => [
  {
    key: `refresh:${loginId}`,
    maxAttempts: config.REFRESHES_PER_LOGIN,
    delayS: 60,
    windowS: QUARTER_HOUR_S,
  },
];

const hourlyLimit = (key: string, maxAttempts: number): Limit => ({
  key,
  maxAttempts,
  delayS: HOUR_S,
  windowS: HOUR_S,
});
