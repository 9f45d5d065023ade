import type { Histogram } from "#db/histogram.ts";

type Labels = Record<string, string>;

/** Builds Prometheus's text format 0.0.4. */
export type Exposition = {
  gauge(name: string, value: number, labels?: Labels): void;
  counter(name: string, value: number, labels?: Labels): void;
  histogram(name: string, histogram: Histogram, labels?: Labels): void;
  text(): string;
};

/** Values of one name must be added consecutively. Throws if `help` has no text for a name. */
export function createExposition(help: Record<string, string>): Exposition {
  const lines: string[] = [];
  let family = "";
  const beginFamily = (name: string, type: string) => {
    if (name === family) return;
    family = name;
    const text = help[name];
    if (text === undefined) throw new Error(`The metric ${name} is not described`);
    lines.push(`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`);
  };
  const addSample = (name: string, amount: number, labels: Labels) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${amount}`);
  };
  return {
    gauge: (name, amount, labels = {}) => {
      beginFamily(name, "gauge");
      addSample(name, amount, labels);
    },
    counter: (name, amount, labels = {}) => {
      beginFamily(name, "counter");
      addSample(name, amount, labels);
    },
    histogram: (name, { boundsS, counts, sumS }, labels = {}) => {
      beginFamily(name, "histogram");
      let cumulative = 0;
      counts.forEach((count, index) => {
        cumulative += count;
        addSample(`${name}_bucket`, cumulative, {
          ...labels,
          le: String(boundsS[index] ?? "+Inf"),
        });
      });
      addSample(`${name}_sum`, sumS, labels);
      addSample(`${name}_count`, cumulative, labels);
    },
    text: () => `${lines.join("\n")}\n`,
  };
}

const escapeLabel = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
