import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

type Import = { from: string; to: string };

const ROOT = join(import.meta.dir, "..");
const text = readFileSync(join(import.meta.dir, "architecture.md"), "utf8");
const tracked = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .stdout.trim()
  .split("\n")
  .filter((file) => existsSync(join(ROOT, file)));

/** The folders of the tree in the document, from the top to the bottom. */
const layers = [...text.matchAll(/^( *)([a-z-]+)\/(?: |$)/gm)].map(([, indent, name]) =>
  indent ? `src/${name}` : (name as string),
);

/** The layer of a file; undefined for a file in the root. */
const layerOf = (file: string): string | undefined =>
  layers.findLast((layer) => file.startsWith(`${layer}/`));

/** The static imports of a module from modules of ours, types included. */
function importsOf(from: string, source: string): Import[] {
  const statements = /^(?:import|export)\b[^;]*?\bfrom "([#.][^"]+)"|^import "([#.][^"]+)"/gm;
  return [...source.matchAll(statements)].map(([, named, bare]) => {
    const specifier = (named ?? bare) as string;
    const to = specifier.startsWith("#")
      ? specifier.slice(1)
      : join(posix.dirname(from), specifier);
    return { from, to };
  });
}

/** A sentence for each import of a higher layer. */
function upward(imports: Import[]): string[] {
  const heightOf = (file: string) => layers.indexOf(layerOf(file) ?? "");
  return imports
    .filter(({ from, to }) => heightOf(to) >= 0 && heightOf(to) < heightOf(from))
    .map(
      ({ from, to }) =>
        `${from} imports ${to}, but ${layerOf(to)} is above ${layerOf(from)} in docs/architecture.md: move what both need down, or pass it as an argument`,
    );
}

/** A sentence for each circle among the nodes that `nodeOf` makes of files. */
function circles(imports: Import[], nodeOf: (file: string) => string): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [source, target] = [nodeOf(from), nodeOf(to)];
    if (source !== target) targets.set(source, (targets.get(source) ?? new Set()).add(target));
  }
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, path: string[]) => {
    if (path.includes(node))
      found.push(
        `${[...path.slice(path.indexOf(node)), node].join(" → ")} is a circle: move what they share to a file below them`,
      );
    if (done.has(node)) return;
    done.add(node);
    for (const target of targets.get(node) ?? []) visit(target, [...path, node]);
  };
  for (const node of targets.keys()) visit(node, []);
  return found;
}

const identity = (file: string) => file;
const folderOf = (file: string) => file.split("/").slice(0, -1).slice(0, 2).join("/");

const modules = tracked.filter(
  (file) => /^[a-z]+\/.*\.ts$/.test(file) && !/\.test\.ts$/.test(file),
);
const imports = modules.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), "utf8")));

test("no module imports from a layer above its own", () => {
  expect(imports.length).toBeGreaterThan(1000);
  expect(upward(imports)).toEqual([]);
});

test("the command starts benches by dynamic imports alone: the executable ships without them", () => {
  const fromCli = imports.filter(({ from }) => from.startsWith("cli/"));
  expect(fromCli.filter(({ to }) => to.startsWith("bench/"))).toEqual([]);
});

test("no files and no folders import each other in a circle", () => {
  expect([...circles(imports, identity), ...circles(imports, folderOf)]).toEqual([]);
});

test("docs/architecture.md lists every folder, and names no other", () => {
  const folders = new Set(modules.map((file) => layerOf(file) ?? file));
  expect([...folders].sort()).toEqual(layers.filter((layer) => layer !== "src").sort());
  const paths = text.match(/\b(?:angie\/|src\/[a-z-]+|(?:db|lib|cli)\/)/g) ?? [];
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("src is never two folders deep, and the root has at most fourteen folders", () => {
  const deep = tracked.filter((file) => /^src\/[^/]+\/.+\//.test(file));
  expect(deep.filter((file) => !file.startsWith("src/imports/examples/"))).toEqual([]);
  const roots = new Set(tracked.filter((file) => file.includes("/")).map((f) => f.split("/")[0]));
  expect(roots.size).toBeLessThanOrEqual(14);
});

test("an import of a higher layer and a circle are found", () => {
  const up = importsOf("src/http/page.ts", 'import type { A } from "../app/app.ts";\n');
  expect(upward(up)).toEqual([expect.stringContaining("src/app is above src/http")]);
  expect(importsOf("cli/bench.ts", 'await import("#bench/cli.ts");\n')).toEqual([]);
  const circle = [
    ...importsOf("gone/a.ts", 'import {\n  b,\n} from "./b.ts";\n'),
    ...importsOf("gone/b.ts", 'export { c } from "#lib/errors.ts";\nimport "./a.ts";\n'),
  ];
  expect(circles(circle, identity)[0]).toStartWith("gone/a.ts → gone/b.ts → gone/a.ts is");
  expect(circles(circle, folderOf)).toEqual([]);
});
