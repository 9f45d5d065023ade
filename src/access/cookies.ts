import type { Config } from "../config/config.ts";

export type CookieNames = { access: string; refresh: string };

/** Over TLS the names carry prefixes, which a browser lets no other site or path set. */
export const cookieNames = (config: Config): CookieNames =>
  config.COOKIE_SECURE
    ? { access: "__Host-access_token", refresh: "__Secure-refresh_token" }
    : { access: "access_token", refresh: "refresh_token" };

/**
 * The value of one cookie of a raw Cookie header, undefined when absent or given twice with
 * different values (another site may have planted one of them). Elysia's jar parses all of them,
 * tries JSON on each, and costs ten times as much.
 */
export function readCookie(header: string | null, name: string): string | undefined {
  if (header === null) return undefined;
  let found: string | undefined;
  for (let from = 0; from < header.length; ) {
    const end = header.indexOf(";", from);
    const stop = end < 0 ? header.length : end;
    let start = from;
    while (header.charCodeAt(start) === 32) start++;
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61) {
      const value = header.slice(start + name.length + 1, stop).trim();
      if (found !== undefined && found !== value) return undefined;
      found = value;
    }
    from = stop + 1;
  }
  return found;
}

/** Set-Cookie headers of a signed-in device: the access cookie, then the refresh cookie. */
export function loginCookies(config: Config, accessToken: string, refreshToken: string): string[] {
  const { access, refresh } = cookieNames(config);
  return [
    `${access}=${accessToken}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${config.ACCESS_TOKEN_TTL_S}${secure(config)}`,
    `${refresh}=${refreshToken}; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=${config.REFRESH_TOKEN_TTL_S}${secure(config)}`,
  ];
}

/** Set-Cookie headers that make a client forget both. */
export function clearedCookies(config: Config): string[] {
  const { access, refresh } = cookieNames(config);
  return [
    `${access}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure(config)}`,
    `${refresh}=; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=0${secure(config)}`,
  ];
}

const secure = (config: Config) => (config.COOKIE_SECURE ? "; Secure" : "");
