import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Program, startProgram } from "./programs.ts";
import { type Supervisor, supervise } from "./supervise.ts";

/**
 * How the next programs behave: a "deaf" one ignores SIGTERM; a "slow" start fails when it is
 * aborted, or after a delay.
 */
type Behaviour = "fine" | "deaf" | "dies" | "absent" | "slow";
type Step =
  | { do: "next are"; behaviour: Behaviour }
  | { do: "kill" | "hang" | "reload" | "reload twice" | "yield" }
  | { do: "wait"; ms: number };

const COMMANDS: Record<Behaviour, string[]> = {
  fine: ["sleep", "1000"],
  deaf: ["sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"],
  dies: ["false"],
  absent: ["/nowhere/program"],
  slow: ["sleep", "1000"],
};

/** A supervisor of real processes, which records violations of its guarantees. */
function superviseChecked() {
  const children = new Set<Program>();
  const violations: string[] = [];
  let next: Behaviour = "fine";
  let hang = Promise.withResolvers<void>();
  let isStopExpected = false;
  const start = async (_: number, signal: AbortSignal) => {
    const behaviour = next;
    if ([...children].some((child) => !child.hasEnded()))
      violations.push("two ran at the same time");
    const child = startProgram(COMMANDS[behaviour], { graceMs: 30 });
    children.add(child);
    if (behaviour === "slow") {
      const aborted = new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true }),
      );
      await Promise.race([aborted, Bun.sleep(15)]);
      await child.stop();
      throw new Error("it did not start");
    }
    if (behaviour === "dies" || behaviour === "absent") {
      await child.ended;
      throw new Error("it died");
    }
    const hanging = Promise.withResolvers<void>();
    hang = hanging;
    let isHung = false;
    void hanging.promise.then(() => {
      isHung = true;
    });
    return {
      ...child,
      hung: hanging.promise,
      stop: async () => {
        if (!isHung && !child.hasEnded() && !isStopExpected)
          violations.push("a healthy one was stopped");
        await child.stop();
      },
    };
  };
  type Child = Awaited<ReturnType<typeof start>>;
  const supervisor: Supervisor<Child, number> = supervise(0, {
    start,
    untilHung: ({ hung }) => hung,
    backOffMs: { first: 1, max: 4 },
  });
  const expectingStop = async (work: () => Promise<unknown>) => {
    isStopExpected = true;
    await work();
    isStopExpected = false;
  };
  const act = async (step: Step) => {
    if (step.do === "next are") next = step.behaviour;
    if (step.do === "kill") await supervisor.current()?.kill();
    if (step.do === "hang") hang.resolve();
    if (step.do === "wait") await Bun.sleep(step.ms);
    if (step.do === "yield") for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    if (step.do === "reload") await expectingStop(() => supervisor.restart(1));
    if (step.do === "reload twice")
      await expectingStop(() => Promise.all([supervisor.restart(1), supervisor.restart(2)]));
  };
  const recovers = async () => {
    next = "fine";
    for (
      let tries = 0;
      tries < 500 && (supervisor.current() === undefined || supervisor.current()?.hasEnded());
      tries++
    )
      await Bun.sleep(2);
    return supervisor.current()?.hasEnded() === false;
  };
  const stop = async () => {
    isStopExpected = true;
    await supervisor.stop();
    return [...children].filter((child) => !child.hasEnded()).length;
  };
  return { act, recovers, stop, violations };
}

const behaviours: Behaviour[] = ["fine", "deaf", "dies", "absent", "slow"];
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...behaviours).map((behaviour) => ({ do: "next are" as const, behaviour })),
  fc
    .constantFrom("kill", "hang", "reload", "reload twice", "yield")
    .map((action) => ({ do: action }) as Step),
  fc.integer({ min: 0, max: 8 }).map((ms) => ({ do: "wait" as const, ms })),
);

test("a supervisor runs at most one program, stops no healthy one, and leaves none after stop, in any order of events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 12 }),
      fc.boolean(),
      async (steps, stopsEarly) => {
        const supervised = superviseChecked();
        for (const step of steps) await supervised.act(step);
        const isUp = stopsEarly || (await supervised.recovers());
        expect({ left: await supervised.stop(), isUp, violations: supervised.violations }).toEqual({
          left: 0,
          isUp: true,
          violations: [],
        });
      },
    ),
    { numRuns: 40 },
  );
});

test("a program that does not start with new input is restarted with the previous input", async () => {
  const started: string[] = [];
  const supervisor = supervise("good", {
    start: async (input: string) => {
      started.push(input);
      if (input === "bad") throw new Error("it does not start");
      return startProgram(["sleep", "1000"]);
    },
    backOffMs: { first: 1, max: 1 },
  });
  while (supervisor.current() === undefined) await Bun.sleep(1);
  expect(await supervisor.restart("bad")).toBe(false);
  while (supervisor.current() === undefined) await Bun.sleep(1);
  expect(await supervisor.restart("better")).toBe(true);
  await supervisor.stop();
  expect(await supervisor.restart("late")).toBe(false);
  expect(started).toEqual(["good", "bad", "good", "better"]);
});
