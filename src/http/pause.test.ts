import { expect, test } from "bun:test";
import { createPause } from "./pause.ts";
import { requestContext } from "./request-context.ts";

const requestOf = (signal: AbortSignal, joiners = 0) => ({
  requestId: "test-0001",
  request: { signal },
  joiners,
  poolMs: 0,
  databaseMs: 0,
  release: undefined,
});

/** A computation that ends only after `pause` has let other work run. */
async function work(pause: () => Promise<void>) {
  let turns = 0;
  const count = () => void (turns++ < 20 && setImmediate(count));
  count();
  while (turns < 20) await pause();
  return "other work went on";
}

test("a long computation lets other work go on", async () => {
  expect(await work(createPause())).toBe("other work went on");
});

test("a long computation ends when its client leaves, unless others wait for it or it is detached", async () => {
  const gone = AbortSignal.abort();
  await expect(
    requestContext.run(requestOf(gone), () => work(createPause())),
  ).rejects.toMatchObject({
    code: "CLIENT_GONE",
  });
  for (const [request, pause] of [
    [requestOf(new AbortController().signal), createPause()],
    [requestOf(gone, 1), createPause()],
    [requestOf(gone), createPause({ isDetached: true })],
  ] as const) {
    expect(await requestContext.run(request, () => work(pause))).toBe("other work went on");
  }
});
