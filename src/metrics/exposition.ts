import type { Histogram } from "#db/histogram.ts";

type Labels = Record<string, string>;

/** Prometheus's text format 0.0.4, family by family. */
export type Exposition = {
  gauge(name: string, value: number, labels?: Labels): void;
  counter(name: string, value: number, labels?: Labels): void;
  histogram(name: string, histogram: Histogram, labels?: Labels): void;
  text(): string;
};

/** Values of one name must come one after the other. Throws when a name has no line in `help`. */
export function createExposition(help: Record<string, string>): Exposition {
  const lines: string[] = [];
  let family = "";
  const begin = (name: string, type: string) => {
    if (name === family) return;
    family = name;
    const meaning = help[name];
    if (meaning === undefined) throw new Error(`The metric ${name} is not described`);
    lines.push(`# HELP ${name} ${meaning}`, `# TYPE ${name} ${type}`);
  };
  const value = (name: string, amount: number, labels: Labels) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${amount}`);
  };
  return {
    gauge: (name, amount, labels = {}) => {
      begin(name, "gauge");
      value(name, amount, labels);
    },
    counter: (name, amount, labels = {}) => {
      begin(name, "counter");
      value(name, amount, labels);
    },
    histogram: (name, { boundsS, counts, sumS }, labels = {}) => {
      begin(name, "histogram");
      let soFar = 0;
      counts.forEach((count, at) => {
        soFar += count;
        value(`${name}_bucket`, soFar, { ...labels, le: String(boundsS[at] ?? "+Inf") });
      });
      value(`${name}_sum`, sumS, labels);
      value(`${name}_count`, soFar, labels);
    },
    text: () => `${lines.join("\n")}\n`,
  };
}

const escaped = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
