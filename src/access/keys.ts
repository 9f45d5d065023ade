import { hkdfSync, randomUUID } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { OperatorError } from "#lib/errors.ts";

export type SigningKey = {
  kid: string;
  key: CryptoKey;
  /** Derived from the key (HKDF, RFC 5869); never leaves the process. */
  secret: Uint8Array;
};

/** Ed25519 keys: one signs, all verify. */
export type Keys = {
  signing: SigningKey;
  /**
   * Former signing keys, latest first: a retried refresh needs the same token, signed by the same
   * key.
   */
  former: SigningKey[];
  verifying: Map<string, CryptoKey>;
  /** The public halves, as `/.well-known/jwks.json` publishes them. */
  publicJwks: JWK[];
};

/** Parses a JSON array of private Ed25519 JWKs. Throws OperatorError with `source`, never a key. */
export async function parseKeys(json: string, source: string): Promise<Keys> {
  try {
    const jwks = JSON.parse(json) as JWK[];
    if (!Array.isArray(jwks) || jwks.length === 0) throw new Error("not an array of keys");
    const verifying = new Map<string, CryptoKey>();
    const publicJwks: JWK[] = [];
    const signers: SigningKey[] = [];
    for (const jwk of jwks) {
      if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519" || !jwk.d || !jwk.kid)
        throw new Error("not an Ed25519 key with kid");
      const { d: _private, iat: _createdAt, ...publicJwk } = jwk as JWK & { iat?: number };
      const published = { ...publicJwk, use: "sig", alg: "EdDSA" };
      verifying.set(jwk.kid, (await importJWK(published, "EdDSA")) as CryptoKey);
      publicJwks.push(published);
      const secret = hkdfSync("sha256", Buffer.from(jwk.d, "base64url"), "", "refresh tokens", 32);
      const key = (await importJWK(jwk, "EdDSA")) as CryptoKey;
      signers.push({ kid: jwk.kid, key, secret: new Uint8Array(secret) });
    }
    const [signing, ...former] = signers as [SigningKey, ...SigningKey[]];
    return { signing, former, verifying, publicJwks };
  } catch {
    throw new OperatorError(
      `${source} must be a JSON array of Ed25519 private JWKs, each with a kid`,
    );
  }
}

/** Reads the keys in `file`. Generates the file, readable by its owner only, if it is missing. */
export async function readOrGenerateKeys(file: string): Promise<Keys> {
  if (!existsSync(file)) writeKeyFile(file, [await generateKey()]);
  chmodSync(file, 0o600);
  return parseKeys(readFileSync(file, "utf8"), file);
}

/** A new private Ed25519 JWK, named by its RFC 7638 thumbprint. */
export async function generateKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return {
    ...jwk,
    kid: await calculateJwkThumbprint(jwk),
    iat: Math.floor(Date.now() / 1000),
  } as JWK;
}

export type KeyRow = { kid: string; use: "signs" | "verifies"; createdAt: string | null };

/** Lists the keys in `file`, the signing one first. Generates the file if it does not exist. */
export async function listKeys(file: string): Promise<KeyRow[]> {
  await readOrGenerateKeys(file);
  return readKeyFile(file).map(({ kid, iat }, index) => ({
    kid: kid as string,
    use: index === 0 ? "signs" : "verifies",
    createdAt: typeof iat === "number" ? new Date(iat * 1000).toISOString() : null,
  }));
}

/**
 * Adds a new signing key at the front of `file`, and removes keys that were replaced longer ago
 * than `maxTokenLifeS`: everything they signed has expired.
 */
export async function addSigningKey(
  file: string,
  maxTokenLifeS: number,
): Promise<{ kid: string; removed: string[] }> {
  await readOrGenerateKeys(file);
  const nowS = Math.floor(Date.now() / 1000);
  const current = readKeyFile(file);
  // A key stopped signing when the one before it in the file was added.
  const isNeeded = (index: number) =>
    index === 0 || nowS - Number(current[index - 1]?.iat ?? nowS) <= maxTokenLifeS;
  const kept = current.filter((_, index) => isNeeded(index));
  const added = await generateKey();
  writeKeyFile(file, [added, ...kept]);
  return {
    kid: added.kid as string,
    removed: current.filter((key) => !kept.includes(key)).map(({ kid }) => kid as string),
  };
}

const readKeyFile = (file: string) =>
  JSON.parse(readFileSync(file, "utf8")) as (JWK & { iat?: number })[];

/** Writes a new file and renames it, so that a reader finds either the old keys or the new ones. */
function writeKeyFile(file: string, keys: JWK[]) {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}
