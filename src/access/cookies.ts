import type { Config } from "../config/config.ts";

export type CookieNames = { access: string; refresh: string };

/** Over TLS the names have prefixes, so that browsers let no other host set these cookies. */
export const cookieNames = (config: Config): CookieNames =>
  config.COOKIE_SECURE
    ? { access: "__Host-access_token", refresh: "__Secure-refresh_token" }
    : { access: "access_token", refresh: "refresh_token" };

/**
 * The value of one cookie in a raw Cookie header; undefined if it is absent, or present twice with
 * different values (another site may have planted one). Elysia's cookie jar parses every cookie,
 * tries JSON on each, and costs ten times as much.
 */
export function readCookie(header: string | null, name: string): string | undefined {
  if (header === null) return undefined;
  let cookie: string | undefined;
  for (let from = 0; from < header.length; ) {
    const end = header.indexOf(";", from);
    const stop = end < 0 ? header.length : end;
    let start = from;
    while (header.charCodeAt(start) === 32) start++;
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61) {
      const value = header.slice(start + name.length + 1, stop).trim();
      if (cookie !== undefined && cookie !== value) return undefined;
      cookie = value;
    }
    from = stop + 1;
  }
  return cookie;
}

/** Set-Cookie headers that sign a device in: the access cookie, then the refresh cookie. */
export function loginCookies(config: Config, accessToken: string, refreshToken: string): string[] {
  const { access, refresh } = cookieNames(config);
  return [
    `${access}=${accessToken}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${config.ACCESS_TOKEN_TTL_S}${secure(config)}`,
    `${refresh}=${refreshToken}; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=${config.REFRESH_TOKEN_TTL_S}${secure(config)}`,
  ];
}

/** Set-Cookie headers that delete both cookies. */
export function clearedCookies(config: Config): string[] {
  const { access, refresh } = cookieNames(config);
  return [
    `${access}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure(config)}`,
    `${refresh}=; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=0${secure(config)}`,
  ];
}

const secure = (config: Config) => (config.COOKIE_SECURE ? "; Secure" : "");
