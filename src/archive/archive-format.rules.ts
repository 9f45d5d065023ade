import { createHash } from "node:crypto";
import { Unzip, UnzipInflate, type ZipOptions, zipSync } from "fflate";
import { AppError } from "#lib/errors.ts";
import { isTooDeep } from "../http/body.ts";
import { findBadText } from "../http/input.ts";
import { faultsOf, normalise } from "../http/shapes.ts";
import { type ArchiveLists, LISTS, Manifest } from "./archive.schemas.ts";
import { setsCsv } from "./sets-csv.rules.ts";

/** The bytes of an archive must not depend on when or where it is packed. */
const DETERMINISTIC: ZipOptions = { level: 6, mtime: new Date(1980, 0, 1), os: 0 };
const MAX_BYTES = 256 * 2 ** 20;
/** The part of the zip that is inflated at a time; it grows a thousandfold at most. */
const CHUNK_BYTES = 16_384;
const LIST_NAMES = Object.keys(LISTS) as (keyof typeof LISTS)[];
const FILES = ["manifest.json", ...LIST_NAMES.map((name) => `${name}.json`), "sets.csv"];

/**
 * The zip of an archive. Equal lists give equal bytes. Each list is the JSON texts of its entries,
 * one per line with commas between.
 */
export function packArchive(texts: Record<keyof typeof LISTS, string>): Uint8Array<ArrayBuffer> {
  const files = Object.fromEntries(
    LIST_NAMES.map((name) => [
      `${name}.json`,
      Buffer.from(texts[name] === "" ? "[]\n" : `[\n${texts[name]}\n]\n`),
    ]),
  );
  const [exercises, routines, plans] = LIST_NAMES.map(
    (name) => JSON.parse(`[${texts[name]}]`).length,
  );
  const workouts = JSON.parse(`[${texts.workouts}]`) as ArchiveLists["workouts"];
  files["sets.csv"] = Buffer.from(setsCsv(workouts));
  const manifest = {
    format: "irontrack-archive",
    version: 1,
    counts: { exercises, routines, plans, workouts: workouts.length, sets: countSets(workouts) },
    files: Object.entries(files).map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      sha256: sha256(bytes),
    })),
  };
  const manifestBytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  return new Uint8Array(zipSync({ "manifest.json": manifestBytes, ...files }, DETERMINISTIC));
}

/**
 * The lists of an archive of at most `maxBytes` when unpacked. Throws invalid: `archive.damaged` if
 * it is not a complete archive, `archive.version_unknown` for a later version, `invalid_request`
 * with the faults of lists that do not fit their schemas.
 */
export function unpackArchive(
  zip: Uint8Array,
  maxBytes = MAX_BYTES,
): ArchiveLists & { manifest: Manifest } {
  const files = unzip(zip, maxBytes);
  const manifest = readManifest(files["manifest.json"]);
  for (const { name, bytes, sha256: hash } of manifest.files) {
    const file = files[name];
    if (file?.length !== bytes || sha256(file) !== hash)
      throw damaged(`${name} is not as the manifest says`);
  }
  const lists = Object.fromEntries(
    LIST_NAMES.map((name) => {
      if (!manifest.files.some((file) => file.name === `${name}.json`))
        throw damaged(`${name}.json is not there`);
      const parsed = parse(files[`${name}.json`] as Uint8Array, `${name}.json`);
      const list = normalise(LISTS[name], parsed);
      const faults = [...findBadText(list, ""), ...faultsOf(LISTS[name], list)];
      if (faults.length > 0)
        throw misfit(faults.map((fault) => ({ ...fault, field: `/${name}.json${fault.field}` })));
      return [name, list];
    }),
  ) as ArchiveLists;
  checkReferences(lists);
  return { ...lists, manifest };
}

const countSets = (workouts: ArchiveLists["workouts"]): number =>
  workouts.reduce(
    (sum, { exercises }) => sum + exercises.reduce((sets, entry) => sets + entry.sets.length, 0),
    0,
  );

/** Inflates in chunks and counts the bytes, because the sizes that a zip declares may be false. */
function unzip(zip: Uint8Array, maxBytes: number): Record<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array[]>();
  let bytes = 0;
  const reader = new Unzip((file) => {
    const fileChunks: Uint8Array[] = [];
    if (chunks.has(file.name) || !FILES.includes(file.name))
      throw damaged("It holds files that no archive has");
    chunks.set(file.name, fileChunks);
    file.ondata = (error, chunk) => {
      if (error) throw error;
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw damaged(`Unpacked it would be more than ${maxBytes / 2 ** 20} MiB`);
      fileChunks.push(chunk);
    };
    file.start();
  });
  reader.register(UnzipInflate);
  try {
    for (let start = 0; start < zip.length; start += CHUNK_BYTES) {
      const end = start + CHUNK_BYTES;
      reader.push(zip.subarray(start, end), end >= zip.length);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw damaged("It is no zip, or a broken one");
  }
  return Object.fromEntries(
    [...chunks].map(([name, fileChunks]) => [name, Buffer.concat(fileChunks)]),
  );
}

function readManifest(file: Uint8Array | undefined): Manifest {
  if (!file) throw damaged("It has no manifest.json");
  const manifest = parse(file, "manifest.json") as Partial<Manifest> | null;
  const version = manifest?.version as number | undefined;
  if (manifest?.format === "irontrack-archive" && Number.isInteger(version) && version !== 1) {
    const detail = "The archive is of a version that is not known here";
    throw new AppError("invalid", "archive.version_unknown", detail);
  }
  if (faultsOf(Manifest, manifest).length > 0) throw damaged("Its manifest.json makes no sense");
  return manifest as Manifest;
}

function parse(file: Uint8Array, name: string): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(file);
    if (!isTooDeep(text)) return JSON.parse(text);
  } catch {
    throw damaged(`${name} is not JSON`);
  }
  throw damaged(`${name} is nested too deep`);
}

/** Throws invalid if an entry refers to an index that the list does not have. */
function checkReferences({ exercises, routines, plans, workouts }: ArchiveLists): void {
  const faults: { field: string; code: string; message: string }[] = [];
  const check = (index: number | null, list: unknown[], field: string) => {
    if (index !== null && index >= list.length)
      faults.push({ field, code: "range", message: "There is no such entry" });
  };
  const ownIndex = (reference: { own: number } | { system: string } | null) =>
    reference && "own" in reference ? reference.own : null;
  for (const [r, routine] of routines.entries()) {
    for (const [e, { exercise }] of routine.exercises.entries()) {
      check(ownIndex(exercise), exercises, `/routines.json/${r}/exercises/${e}/exercise`);
    }
  }
  for (const [p, plan] of plans.entries()) {
    for (const [r, { routine }] of plan.routines.entries())
      check(routine, routines, `/plans.json/${p}/routines/${r}`);
  }
  for (const [w, workout] of workouts.entries()) {
    check(workout.plan, plans, `/workouts.json/${w}/plan`);
    check(workout.routine, routines, `/workouts.json/${w}/routine`);
    for (const [e, { exercise }] of workout.exercises.entries()) {
      check(ownIndex(exercise), exercises, `/workouts.json/${w}/exercises/${e}/exercise`);
    }
  }
  if (faults.length > 0) throw misfit(faults);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const damaged = (detail: string) =>
  new AppError("invalid", "archive.damaged", `The archive is damaged: ${detail}`);
const misfit = (errors: { field: string; code: string; message: string }[]) =>
  new AppError("invalid", "invalid_request", "The archive does not fit", {
    errors: errors.slice(0, 100),
  });
