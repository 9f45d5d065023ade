import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, apiOn } from "#test/harness.ts";
import { SIGN_IN } from "#test/paths.ts";
import { testPool } from "#test/transaction.ts";

/** The unit of cost: an attacker can make the server check wrong passwords anyway. */
const MAX_WRONG_PASSWORDS = 10;
const TRIES = 5;
const JSON_TYPE = "application/json";
const FORM = "application/x-www-form-urlencoded";
const PARTS = "multipart/form-data; boundary=x";

const many = (count: number, make: (at: number) => string, between = "") =>
  Array.from({ length: count }, (_, at) => make(at)).join(between);

/** Bodies of up to a mebibyte, which is as much as is read, that are more work than they look. */
const BOMBS: [what: string, type: string, body: string][] = [
  ["80,000 keys", JSON_TYPE, `{${many(80_000, (at) => `"k${at}":0`, ",")}}`],
  ["150,000 times the same key", JSON_TYPE, `{${many(150_000, () => '"a":0', ",")}}`],
  ["a million brackets", JSON_TYPE, "[".repeat(1_000_000)],
  ["500,000 numbers", JSON_TYPE, `{"username":[${many(500_000, () => "0", ",")}]}`],
  ["a number of a million digits", JSON_TYPE, `{"username":${"9".repeat(1_000_000)}}`],
  ["a text of escapes", JSON_TYPE, `{"username":"${"\\u0061".repeat(170_000)}","password":"x"}`],
  ["250,000 fields of a form", FORM, many(250_000, () => "a=1", "&")],
  ["100,000 fields of a form, each another", FORM, many(100_000, (at) => `a${at}=1`, "&")],
  ["a form of escapes", FORM, `username=${"%61".repeat(340_000)}&password=x`],
  [
    "10,000 parts of a form",
    PARTS,
    `${many(10_000, (at) => `--x\r\nContent-Disposition: form-data; name="a${at}"\r\n\r\n1\r\n`)}--x--\r\n`,
  ],
  ["a boundary nearly met, all the time", PARTS, `--x\r\n${"\r\n--".repeat(260_000)}`],
];

let api: Api;
beforeAll(async () => {
  // Its own clock keeps it in this process, whose CPU is looked at.
  // Failed attempts are committed; with an address of its own, this file does not throttle others.
  api = await apiOn(testPool(), { nowMs: Date.now, deps: { addressOf: () => "198.51.100.77" } });
});
afterAll(() => testPool().sql`delete from attempts`.execute());
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const spent: [string, number][] = [];
afterAll(() =>
  console.log(spent.map(([what, ratio]) => `${what}: ${ratio.toFixed(2)}`).join("; ")),
);

async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}

test.each(BOMBS)(
  `a body of %s is refused with 4xx, and costs less CPU than ${MAX_WRONG_PASSWORDS} wrong passwords`,
  async (what, type, body) => {
    const bytes = new TextEncoder().encode(body);
    expect(bytes.byteLength).toBeLessThanOrEqual(2 ** 20 + 100_000);
    const bomb: number[] = [];
    const wrongPassword: number[] = [];
    for (let n = 0; n < TRIES; n++) {
      const headers = { "content-type": type, "content-length": String(bytes.byteLength) };
      const request = new Request(`http://localhost${SIGN_IN}`, {
        method: "POST",
        headers,
        body: bytes,
      });
      let status = 0;
      const refuse = async () => {
        const answer = await api.app.fetch(request);
        await answer.text();
        status = answer.status;
      };
      bomb.push(await cpuMsOf(refuse));
      expect(status).toBeWithin(400, 500);
      // Measured right after, so that both run under the same load of the machine.
      wrongPassword.push(
        await cpuMsOf(() => api.deps.passwords.matches("wrong password", undefined)),
      );
    }
    const ratio = Math.min(...bomb) / Math.min(...wrongPassword);
    spent.push([what, ratio]);
    expect(ratio).toBeLessThan(MAX_WRONG_PASSWORDS);
  },
);
