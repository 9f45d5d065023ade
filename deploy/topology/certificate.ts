import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { Place } from "./proxy-config.ts";

/** Makes a self-signed certificate for localhost, valid for 30 days. Throws OperatorError. */
export function makeCertificate(directory: string): Place["certificate"] {
  const [file, keyFile] = [join(directory, "certificate.pem"), join(directory, "key.pem")];
  const result = spawnSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
      ],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", keyFile, "-out", file],
    ],
    { encoding: "utf8" },
  );
  if (result.status === 0) return { file, keyFile };
  throw new OperatorError(
    `openssl could not make a certificate (package openssl): ${result.stderr ?? result.error?.message}`,
  );
}
