import { expect, test } from "bun:test";
import { between, type CpuProfile, treeOf } from "../measure/cpu-profile.ts";
import { flameSvg } from "./flame.ts";

const ROOT = "/srv/irontrack";
const node = (
  id: number,
  functionName: string,
  url: string,
  children: number[] = [],
  lineNumber = 9,
) => ({
  id,
  children,
  callFrame: { functionName, url, lineNumber, columnNumber: 0, scriptId: "0" },
});

/** One sample per ms from 1000 ms since the epoch; `samples` are the executing nodes. */
const profileOf = (samples: number[], line = 9): CpuProfile => ({
  nodes: [
    node(1, "(root)", "", [2, 5]),
    node(2, "handle", `file://${ROOT}/src/app/app.ts`, [3, 4], line),
    node(3, "parse", `file://${ROOT}/node_modules/elysia/index.js`),
    node(4, "push", "internal:streams/readable"),
    node(5, "", `file://${ROOT}/src/app/app.ts`),
  ],
  startTime: 1_000_000,
  endTime: 1_000_000 + samples.length * 1000,
  samples,
  timeDeltas: samples.map(() => 1000),
});

test("the width of a frame is its share of samples including callees, and its colour shows the owner", () => {
  const tree = treeOf(profileOf([2, 3, 3, 4, 5]), ROOT);
  expect(tree.samples).toBe(5);
  const handle = tree.children.get("handle src/app/app.ts");
  expect(handle).toMatchObject({ samples: 4, self: 1, owner: "ours", where: "src/app/app.ts:10" });
  expect(handle?.children.get("parse elysia/index.js")).toMatchObject({
    samples: 2,
    owner: "dependency",
  });
  expect(handle?.children.get("push internal:streams/readable")).toMatchObject({
    owner: "runtime",
  });
  const svg = flameSvg(tree, "an operation");
  expect(svg).toContain("handle (src/app/app.ts:10)\n80.0 % of the time, 20.0 % self");
  expect(svg.match(/<g>/g)).toHaveLength(5);
});

test("only samples between two times are kept", () => {
  expect(between(profileOf([2, 3, 3, 4, 5]), 1002, 1004).samples).toEqual([3, 3, 4]);
});

test("compared with an earlier profile, larger shares are red and smaller ones blue, even if lines moved", () => {
  const svg = flameSvg(
    treeOf(profileOf([3, 3, 3, 4], 20), ROOT),
    "later",
    treeOf(profileOf([3, 4, 4, 4]), ROOT),
  );
  const classOf = (name: string) =>
    new RegExp(`<title>${name} [^<]*</title><rect [^>]*class="(\\w+)"`).exec(svg)?.[1];
  expect([classOf("parse"), classOf("push"), classOf("handle")]).toEqual(["more", "less", "same"]);
});
