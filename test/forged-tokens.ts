import { createHmac } from "node:crypto";
import { SignJWT } from "jose";
import { generateKey, parseKeys } from "#src/access/keys.ts";
import { testKeys } from "./config.ts";
import { ABSENT } from "./fixtures.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string) =>
  JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;

/** Forged tokens, derived from a valid one, each with a description. */
export async function forgeTokens(token: string): Promise<[string, string][]> {
  const [head, body, signature] = token.split(".") as [string, string, string];
  const header = decode(head);
  const claims = decode(body);
  const keys = await testKeys();
  const publicJwk = keys.publicJwks[0] as { x: string };
  const stranger = await parseKeys(JSON.stringify([await generateKey()]), "stranger");
  const sign = (
    change: Record<string, unknown>,
    headerChange: Record<string, unknown> = {},
    key = keys.signing.key,
  ) =>
    new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ ...header, ...headerChange } as { alg: string })
      .sign(key);
  const hmac = (secret: string | Buffer, alg = "HS256") => {
    const input = `${encode({ ...header, alg })}.${body}`;
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };
  const nowS = Math.floor(Date.now() / 1000);
  const unsignedChanges: [string, Record<string, unknown>][] = [
    ["another user", { sub: ABSENT }],
    ["another login", { sid: ABSENT }],
    ["a later expiry", { exp: nowS + 1e9 }],
    ["another token id", { jti: "x" }],
    ["a role", { role: "superuser" }],
  ];
  const invalidClaims: [string, Record<string, unknown>][] = [
    ["expired", { exp: nowS - 1 }],
    ["issued at a time that is text", { iat: "tomorrow" }],
    ["for another audience", { aud: "elsewhere" }],
    ["by another issuer", { iss: "elsewhere" }],
    ["of the refresh kind", { typ: "refresh" }],
    ["without a kind", { typ: undefined }],
    ["without a user", { sub: undefined }],
    ["with a user that is no id", { sub: "' or 1=1 --" }],
    ["without a login", { sid: undefined }],
    ["with a login that is no id", { sid: 7 }],
    ["without an expiry", { exp: undefined }],
    ["without an issue time", { iat: undefined }],
    ["without a token id", { jti: undefined }],
    ["with an expiry that is text", { exp: "tomorrow" }],
  ];
  const invalidHeaders: [string, Record<string, unknown>][] = [
    ["another type", { typ: "rt+jwt" }],
    ["no type", { typ: undefined }],
    ["an unknown key id", { kid: "unknown" }],
    ["no key id", { kid: undefined }],
    ["a key id that is a path", { kid: "../../../dev/null" }],
    ["a critical extension", { crit: ["exp"] }],
    ["the plain JWT type", { typ: "JWT" }],
  ];
  const textual: [string, string][] = [
    ["nothing signed", `${encode({ ...header, alg: "none" })}.${body}.`],
    ["None", `${encode({ ...header, alg: "None" })}.${body}.`],
    ["none and the signature", `${encode({ ...header, alg: "none" })}.${body}.${signature}`],
    ["no signature", `${head}.${body}.`],
    ["two parts", `${head}.${body}`],
    ["four parts", `${token}.x`],
    ["an empty header", `.${body}.${signature}`],
    ["an empty body", `${head}..${signature}`],
    ["a signature of zeros", `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`],
    ["half a signature", `${head}.${body}.${signature.slice(0, 40)}`],
    ["spaces", `${head} .${body}.${signature}`],
    ["HMAC with the public key", hmac(publicJwk.x)],
    ["HMAC with the public key's bytes", hmac(Buffer.from(publicJwk.x, "base64url"))],
    ["HMAC with the public JWK", hmac(JSON.stringify(publicJwk))],
    ["HMAC with nothing", hmac("")],
    ["HS512 with the public key", hmac(publicJwk.x, "HS512")],
    ["only the token id", `e30.${encode({ jti: claims.jti })}.`],
    [
      "a changed body with the same token id",
      `${head}.${encode({ ...claims, sub: "x" })}.${signature}`,
    ],
    ["an overlong token", `${token}${"A".repeat(4000)}`],
    ["ES256", `${encode({ ...header, alg: "ES256" })}.${body}.${signature}`],
    ["Ed448", `${encode({ ...header, alg: "Ed448" })}.${body}.${signature}`],
    ["RS256", `${encode({ ...header, alg: "RS256" })}.${body}.${signature}`],
    ["a list of algorithms", `${encode({ ...header, alg: ["EdDSA"] })}.${body}.${signature}`],
    ["eddsa in lower case", `${encode({ ...header, alg: "eddsa" })}.${body}.${signature}`],
    ["padding", `${token}=`],
    ["a quoted token", `"${token}"`],
    ["garbage", "garbage"],
    ["JSON", '{"sub":"x"}'],
    ["percent escapes", "%E0%A4%A"],
    ["three dots", "..."],
  ];
  const embedded = {
    jwk: stranger.publicJwks[0],
    jku: "https://evil.example/jwks",
    x5u: "https://evil.example/x",
  };
  return [
    ...unsignedChanges.map(([name, change]): [string, string] => [
      name,
      `${head}.${encode({ ...claims, ...change })}.${signature}`,
    ]),
    ...(await Promise.all(
      invalidClaims.map(
        async ([name, change]): Promise<[string, string]> => [name, await sign(change)],
      ),
    )),
    ...(await Promise.all(
      invalidHeaders.map(
        async ([name, change]): Promise<[string, string]> => [
          name,
          await sign({}, change).catch(() => name),
        ],
      ),
    )),
    ...textual,
    ["a stranger's key", await sign({}, {}, stranger.signing.key)],
    [
      "a stranger's key and its id",
      await sign({}, { kid: stranger.signing.kid }, stranger.signing.key),
    ],
    [
      "an embedded stranger's key",
      await sign({}, { ...embedded, kid: stranger.signing.kid }, stranger.signing.key),
    ],
    ["an embedded stranger's key under our key id", await sign({}, embedded, stranger.signing.key)],
  ];
}
