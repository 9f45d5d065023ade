import { expect, test } from "bun:test";
import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { ARCHIVE } from "#test/paths.ts";
import { account, buildAccount } from "#test/random-account.ts";
import { packArchive, unpackArchive } from "./archive-format.rules.ts";

const ZIP = { "content-type": "application/zip" };
const exportZip = async (api: Api, as: string) => {
  const answer = await api.get(ARCHIVE, { as });
  expectStatus(answer, 200);
  return answer.bytes;
};
const importZip = (api: Api, as: string, body: Uint8Array<ArrayBuffer>) =>
  api.post(ARCHIVE, { as, body, headers: ZIP });
const filesOf = (zip: Uint8Array) =>
  Object.fromEntries(
    Object.entries(unzipSync(zip)).map(([name, bytes]) => [
      name,
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    ]),
  );
const rezip = (files: Record<string, string>) =>
  new Uint8Array(
    zipSync(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
    ),
  );

test("an archive that is imported into an empty account and exported again is the same, byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(account, (training) =>
      withApi(async (api) => {
        const [source, target] = [await makeSignedIn(api), await makeSignedIn(api)];
        const system = [
          await makeExercise(api, { name: "Zq System A" }),
          await makeExercise(api, { name: "Zq System B" }),
        ];
        await buildAccount(api, source.as, system, training);
        const archive = await exportZip(api, source.as);
        const imported = await importZip(api, target.as, archive);
        expectStatus(imported, 200);
        expect(imported.json).toMatchObject({
          unknown: [],
          imported: { workouts: training.workouts.length },
        });
        expect(Buffer.from(await exportZip(api, target.as)).equals(archive)).toBe(true);
        // The API shows the same training, except for ids and versions.
        const workoutsText = async (as: string) =>
          (await api.get("/api/v1/workouts?pageSize=100", { as })).text.replaceAll(
            /[0-9a-f]{8}-[0-9a-f-]{27}|"version":\d+/g,
            "",
          );
        expect(await workoutsText(target.as)).toBe(await workoutsText(source.as));
      })(),
    ),
    { numRuns: 12 },
  );
}, 60_000);

/** An account with one of everything, and its archive. */
async function makeArchive(api: Api) {
  const { as, user } = await makeSignedIn(api);
  const system = await makeExercise(api, { name: "Zq System A" });
  const sets = [
    {
      type: "working",
      weight: 100,
      weightUnit: "lb",
      reps: 5,
      rpe: null,
      restS: null,
      note: "=1+1",
    },
  ];
  const exercises = [
    { index: 0, sets },
    { index: 1, sets },
  ];
  await buildAccount(api, as, [system], {
    own: 1,
    routines: [{ name: "Push", exercises: [0, 1] }],
    hasPlan: true,
    workouts: [
      {
        hour: 23,
        timeZone: "Pacific/Auckland",
        notes: null,
        outcome: "kept",
        source: "plan",
        exercises,
      },
      {
        hour: 30,
        timeZone: "UTC",
        notes: "Gone",
        outcome: "trashed",
        source: "free",
        exercises: [],
      },
    ],
    deletions: [],
  });
  return { as, user, archive: await exportZip(api, as) };
}

test(
  "an archive has no ids and no email addresses, and its sets open in a spreadsheet as text",
  withApi(async (api) => {
    const { user, archive } = await makeArchive(api);
    const files = filesOf(archive);
    expect(Object.keys(files)).toEqual([
      "manifest.json",
      "exercises.json",
      "routines.json",
      "plans.json",
      "workouts.json",
      "sets.csv",
    ]);
    const all = Object.values(files).join("");
    expect(all).not.toContain(user.email);
    expect(all).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(JSON.parse(files["manifest.json"] ?? "").counts).toEqual({
      exercises: 1,
      routines: 1,
      plans: 1,
      workouts: 2,
      sets: 2,
    });
    const started = "2026-01-01T23:00:00.000000Z";
    // In Auckland it was the next day.
    expect(files["sets.csv"]?.split("\r\n").slice(1, 3)).toEqual([
      `2026-01-02,${started},,Zq System A,1,1,working,100,lb,5,,,,,,'=1+1`,
      `2026-01-02,${started},,Own = 0,2,1,working,100,lb,5,,,,,,'=1+1`,
    ]);
    expect(files["sets.csv"]?.startsWith("\uFEFFDay,")).toBe(true);
  }),
);

/** An archive with changed files and a manifest that matches them. */
function forge(files: Record<string, string>, change: (files: Record<string, string>) => void) {
  const changed = { ...files };
  change(changed);
  const manifest = JSON.parse(changed["manifest.json"] ?? "");
  for (const file of manifest.files) {
    const bytes = Buffer.from(changed[file.name] ?? "");
    file.bytes = bytes.length;
    file.sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  }
  return rezip({ ...changed, "manifest.json": JSON.stringify(manifest) });
}

test(
  "an archive with a fault is refused with its code, and changes nothing",
  withApi(async (api) => {
    const { as, archive } = await makeArchive(api);
    const target = await makeSignedIn(api);
    const files = filesOf(archive);
    const { "plans.json": _plans, ...withoutPlans } = files;
    const edit = (name: string, pattern: string, replacement: string) =>
      forge(files, (changed) => {
        expect(changed[name]).toMatch(pattern);
        changed[name] = (changed[name] ?? "").replace(pattern, replacement);
      });
    const faults: [Uint8Array<ArrayBuffer>, string][] = [
      [new Uint8Array(Buffer.from("no zip")), "archive.damaged"],
      [archive.slice(0, archive.length / 2), "archive.damaged"],
      [rezip({}), "archive.damaged"],
      [rezip(withoutPlans), "archive.damaged"],
      [rezip({ ...files, "evil.sh": "rm" }), "archive.damaged"],
      [rezip({ ...files, "plans.json": "[]" }), "archive.damaged"],
      [
        rezip({
          ...files,
          "manifest.json": (files["manifest.json"] ?? "").replace('"version": 1', '"version": 2'),
        }),
        "archive.version_unknown",
      ],
      [edit("plans.json", "[", "{"), "archive.damaged"],
      [edit("workouts.json", '"status":"completed"', '"status":"imagined"'), "invalid_request"],
      [edit("workouts.json", '"reps":5', '"reps":-5'), "invalid_request"],
      [edit("workouts.json", '"reps":5,"timeS":null', '"reps":5,"timeS":9'), "invalid_request"],
      [edit("workouts.json", '"own" : 0', '"own" : 7'), "invalid_request"],
      [edit("plans.json", '"routine":0', '"routine":3'), "invalid_request"],
      [edit("routines.json", '"repsMin":5', '"repsMin":9'), "archive.refused"],
      [
        edit("workouts.json", '"endedAt":"2026-01-01T23', '"endedAt":"2025-01-01T23'),
        "archive.refused",
      ],
    ];
    for (const [zip, code] of faults)
      expectProblem(await importZip(api, target.as, zip), 422, code);
    expectProblem(await importZip(api, as, archive), 409, "archive.account_not_empty");
    expect(await exportZip(api, target.as)).toEqual(
      packArchive({ exercises: "", routines: "", plans: "", workouts: "" }),
    );
    expectStatus(await importZip(api, target.as, archive), 200);
  }),
);

test(
  "an archive with a corrupted byte is refused or imported unchanged",
  withApi(async (api) => {
    const { archive } = await makeArchive(api);
    const empty = packArchive({ exercises: "", routines: "", plans: "", workouts: "" });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(archive.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (index, mask) => {
          const target = await makeSignedIn(api);
          const changed = archive.slice();
          changed[index] = (changed[index] ?? 0) ^ mask;
          const { status } = await importZip(api, target.as, changed);
          expect([200, 422]).toContain(status);
          const result = Buffer.from(await exportZip(api, target.as));
          expect(result.equals(status === 200 ? archive : empty)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  }),
  60_000,
);

test(
  "a zip that declares a smaller size than it unpacks to, and deeply nested lists, are refused",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const empty = filesOf(await exportZip(api, as));
    const deep = forge(empty, (files) => {
      files["workouts.json"] = "[".repeat(100_000);
    });
    expectProblem(await importZip(api, as, deep), 422, "archive.damaged");

    const forged = Buffer.from(rezip({ ...empty, "sets.csv": " ".repeat(3 * 2 ** 20) }));
    for (
      let offset = forged.indexOf("PK\x01\x02");
      offset !== -1;
      offset = forged.indexOf("PK\x01\x02", offset + 4)
    ) {
      forged.writeUInt32LE(10, offset + 24);
    }
    expect(() => unpackArchive(forged, 2 ** 21)).toThrow("Unpacked it would be more than 2 MiB");
  }),
);
