import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { generateKey } from "#src/access/keys.ts";

/**
 * Makes the secrets that compose.yaml wants in `directory`, each unless it is there already, and
 * gives the names of those it made. The certificate is for `name` and signed by itself: put a real
 * one in its place.
 */
export async function initCompose(directory: string, name: string): Promise<string[]> {
  // Compose mounts these files as they are, for containers of several users: readable by all of
  // them, but on this machine only by whoever may enter the directory.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const made: string[] = [];
  const make = async (file: string, content: () => string | Promise<string>) => {
    const path = join(directory, file);
    if (existsSync(path)) return;
    writeFileSync(path, await content(), { mode: 0o444, flag: "wx" });
    made.push(file);
  };
  await make("postgres_password", password);
  await make("owner_password", password);
  await make("database_password", password);
  await make("jwt_private_keys", async () => JSON.stringify([await generateKey()]));
  const known = readFileSync(join(directory, "database_password"), "utf8");
  await make("pgbouncer_userlist", () => `"irontrack_app" "${known}"\n`);
  const hasCertificate = ["tls_certificate", "tls_key"].some((file) =>
    existsSync(join(directory, file)),
  );
  if (!hasCertificate) {
    const { certificate, key } = selfSigned(name);
    await make("tls_certificate", () => certificate);
    await make("tls_key", () => key);
  }
  return made;
}

/** 256 random bits in letters that no URL, SQL or list of users has to quote. */
const password = () => randomBytes(32).toString("base64url");

function selfSigned(name: string): { certificate: string; key: string } {
  if (!/^[A-Za-z0-9.-]{1,253}$/.test(name))
    throw new OperatorError(`--name takes a host name, not ${name}`, 2);
  const dir = temporaryDirectory("certificate");
  const [certificate, key] = [join(dir, "certificate"), join(dir, "key")];
  try {
    const made = spawnSync("openssl", [
      ...[
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-days",
        "825",
      ],
      ...[
        "-subj",
        `/CN=${name}`,
        "-addext",
        `subjectAltName=DNS:${name}`,
        "-keyout",
        key,
        "-out",
        certificate,
      ],
    ]);
    if (made.error)
      throw new OperatorError(
        "compose:init needs openssl for a certificate; or put tls_certificate and tls_key there yourself",
      );
    if (made.status !== 0) throw new OperatorError(`openssl made no certificate: ${made.stderr}`);
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
