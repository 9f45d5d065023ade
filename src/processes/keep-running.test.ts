import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Kept, keepRunning } from "./keep-running.ts";
import { type Program, startProgram } from "./programs.ts";

/** What the next children do; "deaf" ones ignore SIGTERM, a start that is "slow" fails when it is
 * interrupted, or after a while. */
type Behaviour = "fine" | "deaf" | "dies" | "absent" | "slow";
type Step =
  | { do: "next are"; behaviour: Behaviour }
  | { do: "kill" | "hang" | "reload" | "reload twice" | "look" }
  | { do: "wait"; ms: number };

const COMMANDS: Record<Behaviour, string[]> = {
  fine: ["sleep", "1000"],
  deaf: ["sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"],
  dies: ["false"],
  absent: ["/nowhere/program"],
  slow: ["sleep", "1000"],
};

/** One place, filled with real processes, that watches its own rules. */
function makePlace() {
  const children = new Set<Program>();
  const broken: string[] = [];
  let next: Behaviour = "fine";
  let hang = Promise.withResolvers<void>();
  let isStopWanted = false;
  const start = async (_: number, signal: AbortSignal) => {
    const behaviour = next;
    if ([...children].some((child) => !child.hasEnded())) broken.push("two at once");
    const child = startProgram(COMMANDS[behaviour], { graceMs: 30 });
    children.add(child);
    if (behaviour === "slow") {
      const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await Promise.race([aborted, Bun.sleep(15)]);
      await child.stop();
      throw new Error("it did not come up");
    }
    if (behaviour === "dies" || behaviour === "absent") {
      await child.ended;
      throw new Error("it died");
    }
    const mine = Promise.withResolvers<void>();
    hang = mine;
    let isHung = false;
    void mine.promise.then(() => {
      isHung = true;
    });
    return {
      ...child,
      hung: mine.promise,
      stop: async () => {
        if (!isHung && !child.hasEnded() && !isStopWanted) broken.push("a healthy one was stopped");
        await child.stop();
      },
    };
  };
  type Child = Awaited<ReturnType<typeof start>>;
  const kept: Kept<Child, number> = keepRunning(0, {
    start,
    untilHung: ({ hung }) => hung,
    backOffMs: { first: 1, max: 4 },
  });
  const wanting = async (work: () => Promise<unknown>) => {
    isStopWanted = true;
    await work();
    isStopWanted = false;
  };
  const act = async (step: Step) => {
    if (step.do === "next are") next = step.behaviour;
    if (step.do === "kill") await kept.now()?.kill();
    if (step.do === "hang") hang.resolve();
    if (step.do === "wait") await Bun.sleep(step.ms);
    if (step.do === "look") for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    if (step.do === "reload") await wanting(() => kept.restart(1));
    if (step.do === "reload twice") await wanting(() => Promise.all([kept.restart(1), kept.restart(2)]));
  };
  const isFilledInTheEnd = async () => {
    next = "fine";
    for (let tries = 0; tries < 500 && (kept.now() === undefined || kept.now()?.hasEnded()); tries++)
      await Bun.sleep(2);
    return kept.now()?.hasEnded() === false;
  };
  const stop = async () => {
    isStopWanted = true;
    await kept.stop();
    return [...children].filter((child) => !child.hasEnded()).length;
  };
  return { act, isFilledInTheEnd, stop, broken };
}

const behaviours: Behaviour[] = ["fine", "deaf", "dies", "absent", "slow"];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...behaviours).map((behaviour) => ({ do: "next are" as const, behaviour })),
  fc.constantFrom("kill", "hang", "reload", "reload twice", "look").map((what) => ({ do: what }) as Step),
  fc.integer({ min: 0, max: 8 }).map((ms) => ({ do: "wait" as const, ms })),
);

test("a place holds at most one program, no healthy one is stopped, and after stop none is left, in any order of events", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, endsInTheMiddle) => {
      const place = makePlace();
      for (const one of steps) await place.act(one);
      const isFilled = endsInTheMiddle || (await place.isFilledInTheEnd());
      expect({ left: await place.stop(), isFilled, broken: place.broken }).toEqual({
        left: 0,
        isFilled: true,
        broken: [],
      });
    }),
    { numRuns: 40 },
  );
});

test("a program that does not start with new input is started again with the input of before", async () => {
  const started: string[] = [];
  const kept = keepRunning("good", {
    start: async (input: string) => {
      started.push(input);
      if (input === "bad") throw new Error("it does not start");
      return startProgram(["sleep", "1000"]);
    },
    backOffMs: { first: 1, max: 1 },
  });
  while (kept.now() === undefined) await Bun.sleep(1);
  expect(await kept.restart("bad")).toBe(false);
  while (kept.now() === undefined) await Bun.sleep(1);
  expect(await kept.restart("better")).toBe(true);
  await kept.stop();
  expect(await kept.restart("late")).toBe(false);
  expect(started).toEqual(["good", "bad", "good", "better"]);
});
