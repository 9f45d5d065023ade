import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { generateKey } from "#src/access/keys.ts";

/**
 * Creates the secrets of compose.yaml in `directory` unless they exist, and returns the names of the
 * new ones. The certificate for `name` is self-signed, to be replaced by a real one.
 */
export async function initCompose(directory: string, name: string): Promise<string[]> {
  // Compose mounts these files as they are for containers of several users, so every user may read
  // them. On this machine only the owner may enter the directory.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const created: string[] = [];
  const make = async (file: string, content: () => string | Promise<string>) => {
    const path = join(directory, file);
    if (existsSync(path)) return;
    writeFileSync(path, await content(), { mode: 0o444, flag: "wx" });
    created.push(file);
  };
  await make("postgres_password", password);
  await make("owner_password", password);
  await make("database_password", password);
  await make("jwt_private_keys", async () => JSON.stringify([await generateKey()]));
  const databasePassword = readFileSync(join(directory, "database_password"), "utf8");
  await make("pgbouncer_userlist", () => `"irontrack_app" "${databasePassword}"\n`);
  const hasCertificate = ["tls_certificate", "tls_key"].some((file) =>
    existsSync(join(directory, file)),
  );
  if (!hasCertificate) {
    const { certificate, key } = selfSigned(name);
    await make("tls_certificate", () => certificate);
    await make("tls_key", () => key);
  }
  return created;
}

/** 256 random bits in characters that need no quoting in URLs, SQL and user lists. */
const password = () => randomBytes(32).toString("base64url");

function selfSigned(name: string): { certificate: string; key: string } {
  if (!/^[A-Za-z0-9.-]{1,253}$/.test(name))
    throw new OperatorError(`--name takes a host name, not ${name}`, 2);
  const dir = temporaryDirectory("certificate");
  const [certificate, key] = [join(dir, "certificate"), join(dir, "key")];
  try {
    const result = spawnSync("openssl", [
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
    if (result.error)
      throw new OperatorError(
        "compose:init needs openssl to make a certificate; or provide tls_certificate and tls_key yourself",
      );
    if (result.status !== 0)
      throw new OperatorError(`openssl could not make a certificate: ${result.stderr}`);
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
