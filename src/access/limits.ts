import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { AccessDeps } from "./access.service.ts";
import type { Limit } from "./attempts.queries.ts";
import { cookieNames, readCookie } from "./cookies.ts";

const QUARTER_HOUR_S = 900;
const HOUR_S = 3600;

const fingerprint = (text: string) => createHash("sha256").update(text).digest("base64url");

/**
 * Failures to sign in are counted for the account and for the address. A device that has signed in
 * to the account before is counted for itself: strangers who guess cannot keep the owner out.
 */
export function signInLimits(
  config: Config,
  email: string,
  address: string | null,
  device: string | undefined,
): Limit[] {
  const ofAccount: Limit = {
    key: device ? `device:${device}` : `account:${fingerprint(email)}`,
    free: config.SIGN_IN_FREE_FAILURES,
    delayS: config.SIGN_IN_DELAY_S,
    windowS: QUARTER_HOUR_S,
  };
  if (address === null) return [ofAccount];
  const perHour = config.SIGN_IN_FAILURES_PER_ADDRESS;
  return [ofAccount, { key: `address:${address}`, free: perHour, delayS: HOUR_S, windowS: HOUR_S }];
}

/** Whether a key of `signInLimits` counts an address, which several users may share. */
export const isOfAddress = (key: string) => key.startsWith("address:");

export function signUpLimits(config: Config, address: string | null): Limit[] {
  if (address === null) return [];
  return [
    {
      key: `signup:${address}`,
      free: config.SIGN_UPS_PER_ADDRESS,
      delayS: HOUR_S,
      windowS: HOUR_S,
    },
  ];
}

export const refreshLimits = (config: Config, loginId: string): Limit[] => [
  {
    key: `refresh:${loginId}`,
    free: config.REFRESHES_PER_LOGIN,
    delayS: 60,
    windowS: QUARTER_HOUR_S,
  },
];

/**
 * The login id of a cookie that this account was once given, by its signature alone: it may be
 * over.
 */
export async function deviceOf(
  { config, tokens }: AccessDeps,
  request: Request,
  userId: string | undefined,
) {
  const header = request.headers.get("cookie");
  const names = cookieNames(config);
  for (const kind of ["access", "refresh"] as const) {
    const token = readCookie(header, names[kind]);
    const claims = token ? await tokens.verifyEvenExpired(kind, token) : undefined;
    if (claims && claims.userId === userId) return claims.loginId;
  }
  return undefined;
}
