import { AppError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";

export type CrossSite = {
  /** Whether other origins are allowed; responses then depend on the Origin header. */
  hasOrigins: boolean;
  /**
   * Throws forbidden (`access.cross_site`) when a browser sends an unsafe request on behalf of
   * another site.
   */
  refuse(request: Request): void;
  /**
   * The CORS headers of an answer to a front end of ALLOWED_ORIGINS; undefined for everyone else.
   */
  headersFor(request: Request): Record<string, string> | undefined;
  /** The answer to a preflight request of such a front end; undefined for everyone else. */
  preflight(request: Request, methods: string[]): Record<string, string> | undefined;
};

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Cookies are sent by browsers on anyone's behalf, so unsafe requests must come from our own pages
 * or from one of ALLOWED_ORIGINS: `Sec-Fetch-Site` decides where a browser sends it, else `Origin`;
 * a request with neither is not from a browser. `same-site` is not enough: another subdomain may
 * belong to someone else.
 */
export function createCrossSite({ ALLOWED_ORIGINS }: Pick<Config, "ALLOWED_ORIGINS">): CrossSite {
  const allowed = new Set(
    ALLOWED_ORIGINS.split(",")
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ""),
  );
  const headersFor = (request: Request) => {
    const origin = request.headers.get("origin");
    if (origin === null || !allowed.has(origin)) return undefined;
    return {
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "etag, retry-after, x-request-id",
      vary: "Origin, Cookie, Accept-Encoding",
    };
  };
  return {
    hasOrigins: allowed.size > 0,
    headersFor: allowed.size === 0 ? () => undefined : headersFor,
    refuse: (request) => {
      if (SAFE_METHODS.has(request.method)) return;
      const origin = request.headers.get("origin");
      if (origin !== null && allowed.has(origin)) return;
      const site = request.headers.get("sec-fetch-site");
      const isOurs =
        site === null ? origin === null || isSameOrigin(origin, request) : isOwnSite(site);
      if (!isOurs)
        throw new AppError(
          "forbidden",
          "access.cross_site",
          "Requests from other sites are refused",
        );
    },
    preflight: (request, methods) => {
      const headers = headersFor(request);
      if (!headers || !request.headers.has("access-control-request-method")) return undefined;
      return {
        ...headers,
        "access-control-allow-methods": methods.join(", "),
        "access-control-allow-headers":
          "content-type, if-match, if-none-match, idempotency-key, x-request-id",
        "access-control-max-age": "600",
      };
    },
  };
}

const isOwnSite = (site: string) => site === "same-origin" || site === "none";

/**
 * Whether the browser's headers say that a page of another site sent the request: then it withheld
 * the cookies (SameSite).
 */
export function isFromOtherSite({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "cross-site";
  const origin = headers.get("origin");
  // The port is not part of the site, and the scheme cannot be seen behind a proxy.
  return origin !== null && hostnameOf(origin) !== hostnameOf(`http://${headers.get("host")}`);
}

const hostnameOf = (url: string) => (URL.canParse(url) ? new URL(url).hostname : undefined);

/** Schemes are not compared: behind the proxy we hear http where the browser said https. */
function isSameOrigin(origin: string, request: Request): boolean {
  try {
    return new URL(origin).host === request.headers.get("host");
  } catch {
    return false;
  }
}
