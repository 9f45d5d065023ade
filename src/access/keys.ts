import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { OperatorError } from "../errors.ts";

/** Ed25519 keys: the first signs, every one verifies. */
export type Keys = {
  signing: { kid: string; key: CryptoKey };
  verifying: Map<string, CryptoKey>;
  /** The public halves, as `/.well-known/jwks.json` publishes them. */
  publicJwks: JWK[];
};

/** Keys from JSON, an array of private Ed25519 JWKs. Throws OperatorError that names `source`, never a key. */
export async function readKeys(json: string, source: string): Promise<Keys> {
  try {
    const jwks = JSON.parse(json) as JWK[];
    if (!Array.isArray(jwks) || jwks.length === 0) throw new Error("not an array of keys");
    const verifying = new Map<string, CryptoKey>();
    const publicJwks: JWK[] = [];
    for (const jwk of jwks) {
      if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519" || !jwk.d || !jwk.kid)
        throw new Error("not an Ed25519 key with kid");
      const { d: _private, ...half } = jwk;
      const published = { ...half, use: "sig", alg: "EdDSA" };
      verifying.set(jwk.kid, (await importJWK(published, "EdDSA")) as CryptoKey);
      publicJwks.push(published);
    }
    const first = jwks[0] as JWK;
    const signing = { kid: first.kid as string, key: (await importJWK(first, "EdDSA")) as CryptoKey };
    return { signing, verifying, publicJwks };
  } catch {
    throw new OperatorError(`${source} must be a JSON array of Ed25519 private JWKs, each with a kid`);
  }
}

/** The keys in `file`, generated first when there is no such file. The file is readable by its owner only. */
export async function readOrGenerateKeys(file: string): Promise<Keys> {
  if (!existsSync(file)) {
    const unfinished = `${file}.${randomUUID()}`;
    writeFileSync(unfinished, `${JSON.stringify([await generateKey()], null, 2)}\n`, { mode: 0o600 });
    renameSync(unfinished, file);
  }
  chmodSync(file, 0o600);
  return readKeys(readFileSync(file, "utf8"), file);
}

/** A new private Ed25519 JWK, named by its RFC 7638 thumbprint. */
export async function generateKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}
