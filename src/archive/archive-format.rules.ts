import { createHash } from "node:crypto";
import { Unzip, UnzipInflate, type ZipOptions, zipSync } from "fflate";
import { AppError } from "#lib/errors.ts";
import { isTooDeep } from "../http/body.ts";
import { findBadText } from "../http/input.ts";
import { faultsOf, normalise } from "../http/shapes.ts";
import { type ArchiveLists, LISTS, Manifest } from "./archive.schemas.ts";
import { setsCsv } from "./sets-csv.rules.ts";

/** Where each thing of an archive begins and ends must not depend on when or where it was made. */
const DETERMINISTIC: ZipOptions = { level: 6, mtime: new Date(1980, 0, 1), os: 0 };
const MAX_BYTES = 256 * 2 ** 20;
/** Of the zip at a time: it becomes a thousand times as much at most. */
const PIECE_BYTES = 16_384;
const LIST_NAMES = Object.keys(LISTS) as (keyof typeof LISTS)[];
const FILES = ["manifest.json", ...LIST_NAMES.map((name) => `${name}.json`), "sets.csv"];

/**
 * The zip of an archive: the same lists are the same bytes. Each list is given as the JSON texts of
 * its entries, a line each and a comma between.
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
  const described = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  return new Uint8Array(zipSync({ "manifest.json": described, ...files }, DETERMINISTIC));
}

/**
 * The lists of an archive that is at most `maxBytes` when unpacked. Throws invalid:
 * `archive.damaged` for what is no whole archive of ours, `archive.version_unknown` for one of a
 * later version, `invalid_request` with the faults of lists that do not fit.
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
  refuseDangling(lists);
  return { ...lists, manifest };
}

const countSets = (workouts: ArchiveLists["workouts"]): number =>
  workouts.reduce(
    (sum, { exercises }) => sum + exercises.reduce((sets, entry) => sets + entry.sets.length, 0),
    0,
  );

/** Unpacked piece by piece, so that what a zip says of its own sizes is never relied on. */
function unzip(zip: Uint8Array, maxBytes: number): Record<string, Uint8Array> {
  const pieces = new Map<string, Uint8Array[]>();
  let bytes = 0;
  const reader = new Unzip((file) => {
    const ofFile: Uint8Array[] = [];
    if (pieces.has(file.name) || !FILES.includes(file.name))
      throw damaged("It holds files that no archive has");
    pieces.set(file.name, ofFile);
    file.ondata = (error, piece) => {
      if (error) throw error;
      bytes += piece.length;
      if (bytes > maxBytes)
        throw damaged(`Unpacked it would be more than ${maxBytes / 2 ** 20} MiB`);
      ofFile.push(piece);
    };
    file.start();
  });
  reader.register(UnzipInflate);
  try {
    for (let at = 0; at < zip.length; at += PIECE_BYTES) {
      reader.push(zip.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= zip.length);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw damaged("It is no zip, or a broken one");
  }
  return Object.fromEntries([...pieces].map(([name, ofFile]) => [name, Buffer.concat(ofFile)]));
}

function readManifest(file: Uint8Array | undefined): Manifest {
  if (!file) throw damaged("It has no manifest.json");
  const manifest = parse(file, "manifest.json") as Partial<Manifest> | null;
  const version = manifest?.version as number | undefined;
  if (manifest?.format === "irontrack-archive" && Number.isInteger(version) && version !== 1) {
    throw new AppError(
      "invalid",
      "archive.version_unknown",
      "The archive is of a version that is not known here",
    );
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

/** Throws invalid when something refers to a thing that its list does not have. */
function refuseDangling({ exercises, routines, plans, workouts }: ArchiveLists): void {
  const faults: { field: string; code: string; message: string }[] = [];
  const check = (place: number | null, list: unknown[], field: string) => {
    if (place !== null && place >= list.length)
      faults.push({ field, code: "range", message: "There is no such entry" });
  };
  const ownOf = (reference: { own: number } | { system: string } | null) =>
    reference && "own" in reference ? reference.own : null;
  for (const [at, { exercises: entries }] of routines.entries()) {
    for (const [n, { exercise }] of entries.entries()) {
      check(ownOf(exercise), exercises, `/routines.json/${at}/exercises/${n}/exercise`);
    }
  }
  for (const [at, plan] of plans.entries()) {
    for (const [n, { routine }] of plan.routines.entries())
      check(routine, routines, `/plans.json/${at}/routines/${n}`);
  }
  for (const [at, workout] of workouts.entries()) {
    check(workout.plan, plans, `/workouts.json/${at}/plan`);
    check(workout.routine, routines, `/workouts.json/${at}/routine`);
    for (const [n, { exercise }] of workout.exercises.entries()) {
      check(ownOf(exercise), exercises, `/workouts.json/${at}/exercises/${n}/exercise`);
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
