import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OperatorError } from "#lib/errors.ts";

const DIRECTORY = import.meta.dir;

const Text = Type.String({ minLength: 1, maxLength: 500 });
const Positive = Type.Number({ exclusiveMinimum: 0 });
const Cores = Type.Array(Type.Integer({ minimum: 0, maximum: 1023 }), {
  minItems: 1,
  maxItems: 1024,
});
/** Null means not measured on this host. */
const Measured = <T extends Parameters<typeof Type.Union>[0][number]>(shape: T) =>
  Type.Union([shape, Type.Null()]);

const Kernel = Type.Object(
  { minMs: Positive, medianMs: Positive },
  { additionalProperties: false },
);
const Waits = Type.Object(
  { perSecond: Positive, medianMs: Positive, p99Ms: Positive },
  { additionalProperties: false },
);

export const Calibration = Type.Object(
  {
    /** Time and environment of the measurement; null before it. */
    at: Measured(Text),
    kernel: Measured(Text),
    governor: Measured(Text),
    mitigations: Measured(Type.Record(Type.String(), Text)),
    bun: Measured(Text),
    /** Minimum and median of several runs, on one core. */
    kernels: Type.Record(Type.String({ pattern: "^[a-zA-Z0-9]+$" }), Measured(Kernel)),
    fdatasync: Measured(Waits),
    /** Reads from the whole device or from a file, according to `randomReadsOf`. */
    randomReads: Type.Object(
      { qd1: Measured(Waits), qd8: Measured(Waits) },
      { additionalProperties: false },
    ),
    randomReadsOf: Measured(Text),
  },
  { additionalProperties: false },
);
export type Calibration = Static<typeof Calibration>;

/** The speed of a disk, for emulating it. */
export const DiskParameters = Type.Object(
  {
    rpm: Type.Integer({ minimum: 1000, maximum: 20_000 }),
    /** Over a third of the disk, as vendors specify it; and to the next track. */
    averageSeekMs: Positive,
    trackSeekMs: Positive,
    transferMbPerS: Type.Integer({ minimum: 1, maximum: 10_000 }),
    /** The volatile write cache. */
    cacheMib: Type.Integer({ minimum: 1, maximum: 4096 }),
  },
  { additionalProperties: false },
);
export type DiskParameters = Static<typeof DiskParameters>;

const HostFile = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$", maxLength: 100 }),
    about: Text,
    cpu: Type.Object(
      { model: Text, cores: Type.Integer({ minimum: 1 }) },
      { additionalProperties: false },
    ),
    disk: Type.Object(
      {
        model: Text,
        isRotational: Measured(Type.Boolean()),
        parameters: Type.Union([DiskParameters, Type.Null()]),
      },
      { additionalProperties: false },
    ),
    /** Cores by role; null means by the machine's topology. */
    pins: Type.Union([
      Type.Object(
        { server: Cores, postgres: Cores, proxy: Cores, load: Cores },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
    calibration: Calibration,
  },
  { additionalProperties: false },
);
export type HostFile = Static<typeof HostFile>;

/** The machine that the application is tuned for, and whose disk is emulated. */
export const REFERENCE_HOST = "fx8320-hdd";

/**
 * Reads a host's file by its id or a unique prefix of it. Throws OperatorError if there is none, or
 * if it is not valid.
 */
export function readHost(name: string): HostFile {
  const ids = listHosts();
  const id = ids.includes(name) ? name : ids.filter((candidate) => candidate.startsWith(name));
  if (Array.isArray(id) && id.length !== 1) {
    throw new OperatorError(
      `there is no host ${name} in bench/hosts; there are ${ids.join(", ")}`,
      2,
    );
  }
  return checkHost(JSON.parse(readFileSync(fileOf(String(id)), "utf8")), String(id));
}

/** The disk parameters of the reference machine. */
export function referenceDisk(): DiskParameters {
  const { parameters } = readHost(REFERENCE_HOST).disk;
  if (parameters === null)
    throw new OperatorError(`${REFERENCE_HOST} does not say how fast its disk is`);
  return parameters;
}

/** The ids of all hosts, sorted. */
export function listHosts(): string[] {
  const files = existsSync(DIRECTORY) ? readdirSync(DIRECTORY) : [];
  return files
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();
}

export function hasHost(id: string): boolean {
  return existsSync(fileOf(id));
}

/** Writes a host's file for review, and returns its path. */
export function writeHost(host: HostFile): string {
  const file = fileOf(host.id);
  // Four significant digits, and a role's cores on one line, for review.
  const text = JSON.stringify(checkHost(host, host.id), toFourDigits, 2);
  writeFileSync(
    file,
    `${text.replace(/\[\s+([\d,\s]+?)\s+\]/g, (_, cores) => `[${cores.replace(/\s+/g, " ")}]`)}\n`,
  );
  return file;
}

/** Returns `host` if it is valid. Throws OperatorError with the first error. */
export function checkHost(host: unknown, id: string): HostFile {
  const [error] = Value.Errors(HostFile, host);
  if (error) throw new OperatorError(`bench/hosts/${id}.json${error.path}: ${error.message}`);
  const checked = host as HostFile;
  if (checked.id !== id) throw new OperatorError(`bench/hosts/${id}.json has the id ${checked.id}`);
  return checked;
}

const toFourDigits = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

const fileOf = (id: string) => join(DIRECTORY, `${id}.json`);
