import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { freePort, killEverything, launch, makeCheckout, waitUntilUp } from "./launcher.ts";

const ROUNDS = 20;
const checkout = makeCheckout({ withModules: true });
afterAll(checkout.remove);
const { dir } = checkout;

/** Signs up, and returns the status; undefined if there was no response. */
async function signUp(port: string, email: string): Promise<number | undefined> {
  const password = "correct horse battery staple";
  const body = JSON.stringify({ email, password, confirmPassword: password });
  const headers = { "content-type": "application/json" };
  try {
    return (
      await fetch(`http://127.0.0.1:${port}/api/v1/access/signup`, {
        method: "POST",
        headers,
        body,
      })
    ).status;
  } catch {
    return undefined;
  }
}

test(`after ${ROUNDS} kills at random moments, everything that was acknowledged is still there`, async () => {
  const port = await freePort();
  const env = {
    PORT: port,
    SIGN_UPS_PER_ADDRESS: "100000",
    PASSWORD_MEMORY_KIB: "19456",
    PASSWORD_PASSES: "2",
  };
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const up = launch(dir, ["up"], env);
    // Every fourth time during the start.
    const isEarly = round % 4 === 3;
    const killAfterMs = isEarly ? Math.random() * 700 : 300 + Math.random() * 1500;
    if (!isEarly) await waitUntilUp(up);
    let killed = false;
    const killing = Bun.sleep(killAfterMs).then(() => {
      killed = true;
      killEverything(up, join(dir, ".irontrack/postgres"));
    });
    for (let n = 0; !killed; n++) {
      const email = `round-${round}-${n}@example.com`;
      if (!isEarly && (await signUp(port, email)) === 201) acknowledged.push(email);
      else await Bun.sleep(5);
    }
    await killing;
    await up.ended;
  }
  const last = launch(dir, ["up"], env);
  await waitUntilUp(last);
  const lost: string[] = [];
  for (const email of acknowledged) if ((await signUp(port, email)) !== 409) lost.push(email);
  last.child.kill("SIGTERM");
  expect(await last.ended).toBe(0);
  console.log(`${ROUNDS} kills, ${acknowledged.length} sign-ups acknowledged, ${lost.length} lost`);
  expect(lost).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(ROUNDS);
});

test("on a machine with only npm and an empty HOME, up installs the missing programs and serves", async () => {
  const clean = makeCheckout({ withModules: false });
  afterAll(clean.remove);
  const npmOnly = (process.env.PATH ?? "")
    .split(":")
    .filter((path) => !path.includes("bun"))
    .join(":");
  const up = launch(clean.dir, ["up"], { PATH: npmOnly, PORT: await freePort() });
  await waitUntilUp(up);
  expect(up.output()).toContain("installing Bun");
  up.child.kill("SIGTERM");
  expect(await up.ended).toBe(0);
});
