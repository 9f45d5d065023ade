import { OperatorError } from "#lib/errors.ts";

/**
 * What `bun --cpu-prof` writes (.cpuprofile, as DevTools and speedscope read it); times in µs since
 * 1970.
 */
export type CpuProfile = {
  nodes: { id: number; callFrame: CallFrame; children?: number[]; hitCount?: number }[];
  startTime: number;
  endTime: number;
  /** The node that was at work, at each sample, and how long after the sample before. */
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

/** Ours, somebody else's, or the runtime's own. */
export type Owner = "ours" | "dependency" | "runtime";

/**
 * A function as it was called from those above it. Samples are taken only while JavaScript runs.
 */
export type Frame = {
  name: string;
  /** File and line; empty of the runtime's own. */
  where: string;
  owner: Owner;
  samples: number;
  /** Of them, those in which it was itself at work. */
  self: number;
  /** By what tells them apart, whatever the line they are in. */
  children: Map<string, Frame>;
};

/** Throws OperatorError when it is something else. */
export function parseProfile(text: string, file: string): CpuProfile {
  const profile = JSON.parse(text);
  if (Array.isArray(profile?.nodes) && Array.isArray(profile.samples)) return profile;
  throw new OperatorError(`${file} is no .cpuprofile`, 2);
}

/**
 * Only what was sampled between two moments, in ms since 1970: neither the start of a server nor
 * its end.
 */
export function between(profile: CpuProfile, fromMs: number, toMs: number): CpuProfile {
  let atUs = profile.startTime;
  const times = profile.timeDeltas.map((delta) => {
    atUs += delta;
    return atUs;
  });
  const isWithin = (_: unknown, at: number) =>
    (times[at] as number) >= fromMs * 1000 && (times[at] as number) <= toMs * 1000;
  const kept = times.filter(isWithin);
  const samples = profile.samples.filter(isWithin);
  const counts = Map.groupBy(samples, (id) => id);
  return {
    nodes: profile.nodes.map((node) => ({ ...node, hitCount: counts.get(node.id)?.length ?? 0 })),
    startTime: fromMs * 1000,
    endTime: toMs * 1000,
    samples,
    timeDeltas: kept.map((time, at) => time - (kept[at - 1] ?? fromMs * 1000)),
  };
}

/**
 * All that was sampled as one tree; calls of the same function from the same place are one frame.
 */
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
  // The runtime's own have no file, or one such as node:fs and internal:streams/readable.
  const owner =
    file === "" || /^\w+:/.test(file)
      ? "runtime"
      : file.includes("node_modules")
        ? "dependency"
        : "ours";
  const place = file.replace(/^.*node_modules\//, "");
  const where = place === "" ? "" : `${place}:${lineNumber + 1}`;
  // Lines move from version to version; only what has no name is known by its line.
  const key = functionName === "" ? where : `${functionName} ${place}`;
  const known = parent.children.get(key);
  if (known) return known;
  const frame: Frame = {
    name: functionName || "(no name)",
    where,
    owner,
    samples: 0,
    self: 0,
    children: new Map(),
  };
  parent.children.set(key, frame);
  return frame;
}
