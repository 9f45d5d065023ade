import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { Place } from "./proxy-config.ts";

/**
 * A certificate for localhost that nobody vouches for, good for a month. Throws OperatorError
 * without openssl.
 */
export function makeCertificate(directory: string): Place["certificate"] {
  const [file, keyFile] = [join(directory, "certificate.pem"), join(directory, "key.pem")];
  const made = spawnSync(
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
  if (made.status === 0) return { file, keyFile };
  throw new OperatorError(
    `openssl made no certificate (package openssl): ${made.stderr ?? made.error?.message}`,
  );
}
