import { OperatorError } from "#lib/errors.ts";

/**
 * The .cpuprofile format of `bun --cpu-prof`, DevTools and speedscope. Times are in µs since the
 * Unix epoch.
 */
export type CpuProfile = {
  nodes: { id: number; callFrame: CallFrame; children?: number[]; hitCount?: number }[];
  startTime: number;
  endTime: number;
  /** The executing node of each sample, and the time since the previous sample. */
  samples: number[];
  timeDeltas: number[];
};

type CallFrame = {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
  scriptId: string;
};

export type Owner = "ours" | "dependency" | "runtime";

/** A function with its callers as ancestors. Samples are taken only while JavaScript runs. */
export type Frame = {
  name: string;
  /** File and line; empty for the runtime's own functions. */
  where: string;
  owner: Owner;
  samples: number;
  /** Samples in which the function itself was executing. */
  self: number;
  /** Keyed by function and file, without the line. */
  children: Map<string, Frame>;
};

/** Throws OperatorError if the text is not a .cpuprofile. */
export function parseProfile(text: string, file: string): CpuProfile {
  const profile = JSON.parse(text);
  if (Array.isArray(profile?.nodes) && Array.isArray(profile.samples)) return profile;
  throw new OperatorError(`${file} is not a .cpuprofile`, 2);
}

/** Only the samples between two times in ms since the epoch, without startup and shutdown. */
export function between(profile: CpuProfile, fromMs: number, toMs: number): CpuProfile {
  let atUs = profile.startTime;
  const times = profile.timeDeltas.map((delta) => {
    atUs += delta;
    return atUs;
  });
  const isWithin = (_: unknown, n: number) =>
    (times[n] as number) >= fromMs * 1000 && (times[n] as number) <= toMs * 1000;
  const sampleTimes = times.filter(isWithin);
  const samples = profile.samples.filter(isWithin);
  const counts = Map.groupBy(samples, (id) => id);
  return {
    nodes: profile.nodes.map((node) => ({ ...node, hitCount: counts.get(node.id)?.length ?? 0 })),
    startTime: fromMs * 1000,
    endTime: toMs * 1000,
    samples,
    timeDeltas: sampleTimes.map((time, n) => time - (sampleTimes[n - 1] ?? fromMs * 1000)),
  };
}

/** The call tree of all samples; recurring calls of a function by the same caller are merged. */
export function treeOf(profile: CpuProfile, root: string): Frame {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const hits = Map.groupBy(profile.samples, (id) => id);
  const top: Frame = {
    name: "all",
    where: "",
    owner: "runtime",
    samples: 0,
    self: 0,
    children: new Map(),
  };
  const visit = (id: number, parent: Frame): number => {
    const node = byId.get(id);
    if (!node) return 0;
    const frame =
      node.callFrame.functionName === "(root)" ? parent : childOf(parent, node.callFrame, root);
    const self = hits.get(id)?.length ?? 0;
    const samples = (node.children ?? []).reduce((sum, child) => sum + visit(child, frame), self);
    frame.self += self;
    if (frame !== parent) frame.samples += samples;
    return samples;
  };
  top.samples = visit(profile.nodes[0]?.id ?? 0, top);
  return top;
}

function childOf(parent: Frame, { functionName, url, lineNumber }: CallFrame, root: string): Frame {
  const file = decodeURI(url)
    .replace(/^file:\/\//, "")
    .replace(`${root}/`, "");
  // The runtime's own functions have no file, or one such as node:fs or internal:streams/readable.
  const owner =
    file === "" || /^\w+:/.test(file)
      ? "runtime"
      : file.includes("node_modules")
        ? "dependency"
        : "ours";
  const module = file.replace(/^.*node_modules\//, "");
  const where = module === "" ? "" : `${module}:${lineNumber + 1}`;
  // Lines move from version to version, so only anonymous functions are identified by their line.
  const key = functionName === "" ? where : `${functionName} ${module}`;
  const existing = parent.children.get(key);
  if (existing) return existing;
  const frame: Frame = {
    name: functionName || "(anonymous)",
    where,
    owner,
    samples: 0,
    self: 0,
    children: new Map(),
  };
  parent.children.set(key, frame);
  return frame;
}
