import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TableResult } from "../figures/table.ts";
import { checkComparable, compareRuns } from "./compare-runs.ts";
import { reportHtml } from "./page.ts";
import { standalonePlots } from "./standalone.ts";
import { readEvidence, readRun, splitSamples } from "./stored.ts";
import { reportMarkdown } from "./summary.ts";
import { tablePage } from "./table-page.ts";

const FIXTURE = join(import.meta.dir, "fixture");
const evidence = readEvidence(["run", "sweep", "ab"].map((name) => join(FIXTURE, name)));
const html = reportHtml(evidence);

test("a report is one self-contained file below a megabyte, without scripts or external resources", () => {
  expect(html.length).toBeLessThan(1_000_000);
  expect(html).not.toMatch(/<script|<link rel="stylesheet"|@import|url\(|(src|href)="(?!data:|#)/);
});

test("a report states its validity warnings, what was not measured, its environment and its command", () => {
  for (const text of [
    "Not valid",
    "LogSet: the server waited for a processor",
    "Not measured",
    "unexplained",
    "iowait (unreliable)",
    "AMD EPYC, 2 cores",
    "./irontrack bench run ListExercises LogSet --profile hdd --rate 40",
    "Statements by time",
    "Statements by disk",
    "Knee of ListExercises",
    "after / before",
  ]) {
    expect(html).toContain(text);
  }
});

test("every plot has a text alternative, and every table has headers and a caption", () => {
  const plots = html.match(/<figure>/g)?.length ?? 0;
  expect(plots).toBeGreaterThanOrEqual(8);
  expect(html.match(/<div role="img" aria-label="[^"]{20,}"/g)).toHaveLength(plots);
  for (const table of html.split("<table>").slice(1))
    expect(table).toMatch(/^<caption>[^<]+.*<th scope="col">/s);
});

test("only runs of the same machine and disk profile can be compared", () => {
  const run = readRun(join(FIXTURE, "run"));
  expect(() => checkComparable(run, { ...run, host: { ...run.host, cores: 8 } })).toThrow(
    "cannot be compared",
  );
  expect(() => checkComparable(run, { ...run, profile: "native" })).toThrow("cannot be compared");
  checkComparable(run, run);
  const [first] = compareRuns(run, run);
  expect(first).toMatchObject({ name: "ListExercises", ratio: 1 });
});

test("the page of a suite without load plots and tabulates every scenario", () => {
  const row = (scenario: string, mean: number) => ({
    scenario,
    figures: {
      meanUs: { mean, low: mean * 0.9, high: mean * 1.1 },
      flushes: { mean: 1, low: null, high: null },
    },
  });
  const { host } = readRun(join(FIXTURE, "run"));
  const rows = [row("findDocument", 80), row("insertSet", 9000)];
  const about = "Each statement alone.";
  const result: TableResult = {
    format: 2,
    suite: "db",
    host,
    profile: "native",
    about,
    rows,
    doubts: [],
  };
  const page = tablePage(result);
  expect(page).toContain("<strong>Valid.</strong>");
  expect(page).toContain("<td>9000 ± 900</td>");
  expect(page.match(/<circle/g)).toHaveLength(4);
  expect(page).not.toMatch(/NaN|undefined|<script/);
  expect(tablePage({ ...result, doubts: ["the machine was not free"] })).toContain(
    "the machine was not free",
  );
});

test("a report shows metrics of the server, PostgreSQL and the machine, and refused requests only if there are any", () => {
  for (const text of [
    "event-loop delay",
    "client backend wal fsyncs",
    "context switches per second",
  ])
    expect(html).toContain(text);
  expect(html).not.toContain(">refused<");
  const run = readRun(join(FIXTURE, "run"));
  const [first, ...others] = run.results;
  if (!first) throw new Error("The fixture has no results");
  const stormResult = {
    ...first,
    cameAtOnce: 150,
    figures: { ...first.figures, failures: 42, refused: 40 },
  };
  const storm = { ...run, results: [stormResult, ...others] };
  const page = reportHtml({ run: storm, sweeps: [], comparisons: [] });
  expect(page).toContain(">refused<");
  expect(page).toContain("<td>40</td><td>2</td>");
  expect(page).toContain("150 of the requests of ListExercises at once");
  expect(reportMarkdown(storm)).toContain("| explained | refused | failures |");
  expect(reportMarkdown(storm)).toContain("| 40 | 2 |");
});

test("a run without its samples is comparable and has plots, but no page", () => {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-samples-"));
  try {
    const run = readRun(join(FIXTURE, "run"));
    const { headline, samples } = splitSamples(run);
    writeFileSync(join(directory, "run.json"), JSON.stringify(headline));
    expect(compareRuns(readRun(directory), run)).toHaveLength(run.results.length);
    expect(standalonePlots(readRun(directory))).toEqual(standalonePlots(run));
    expect(() => readEvidence([directory])).toThrow("samples.json");
    writeFileSync(join(directory, "samples.json"), JSON.stringify(samples));
    expect(readEvidence([directory]).run).toEqual(run);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("pictures for a README are self-contained", () => {
  for (const svg of Object.values(standalonePlots(readRun(join(FIXTURE, "run"))))) {
    expect(svg).toStartWith('<svg xmlns="http://www.w3.org/2000/svg"');
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).toContain("ListExercises");
  }
});

const chromium = Bun.which("chromium");
if (!chromium && process.env.CI) throw new Error("chromium is not on PATH");
if (!chromium) console.warn("SKIPPED: reports in a browser need chromium on PATH");

describe.skipIf(!chromium)("in a browser", () => {
  let directory: string;
  let view: Bun.WebView;
  const messages: unknown[] = [];
  const requestedUrls: string[] = [];
  const isRoot = process.getuid?.() === 0;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "irontrack-report-"));
    const file = join(directory, "report.html");
    writeFileSync(file, html);
    const argv = ["--hide-scrollbars", ...(isRoot ? ["--no-sandbox"] : [])];
    const backend = { type: "chrome", url: false, path: chromium ?? "", argv } as const;
    view = new Bun.WebView({
      width: 1280,
      height: 900,
      backend,
      console: (...args) => void messages.push(args),
    });
    await view.navigate("about:blank");
    view.addEventListener<{ request: { url: string } }>("Network.requestWillBeSent", ({ data }) => {
      requestedUrls.push(data.request.url);
    });
    view.addEventListener("Log.entryAdded", ({ data }: MessageEvent) => void messages.push(data));
    await view.cdp("Network.enable");
    await view.cdp("Log.enable");
    await view.navigate(pathToFileURL(file).href);
  });
  afterAll(() => {
    view?.close();
    if (directory) rmSync(directory, { recursive: true });
  });

  test.each([
    [1280, "light"],
    [1280, "dark"],
    [390, "light"],
    [390, "dark"],
  ] as const)(
    "at %i pixels in %s mode every plot has marks and nothing overflows the window",
    async (width, mode) => {
      const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
      await view.cdp("Emulation.setDeviceMetricsOverride", size);
      const features = [{ name: "prefers-color-scheme", value: mode }];
      await view.cdp("Emulation.setEmulatedMedia", { features });
      const layout = await view.evaluate<Layout>(INSPECT_LAYOUT);
      expect(layout.plots).toBeGreaterThanOrEqual(8);
      expect(layout.emptyPlots).toEqual([]);
      expect(layout.pageWidth).toBeLessThanOrEqual(width);
      expect(layout.overflowing).toEqual([]);
      expect(layout.isDark).toBe(mode === "dark");
      const { data } = await view.cdp<{ data: string }>("Page.captureScreenshot", {
        format: "png",
      });
      const png = Buffer.from(data, "base64");
      writeFileSync(join(process.env.REPORT_SCREENSHOTS ?? directory, `${width}-${mode}.png`), png);
      // A blank page compresses to less.
      expect(png.length).toBeGreaterThan(10_000);
      expect(messages).toEqual([]);
      expect(
        requestedUrls.filter((url) => !url.startsWith("file:") && !url.startsWith("data:")),
      ).toEqual([]);
    },
  );
});

type Layout = {
  plots: number;
  emptyPlots: string[];
  overflowing: string[];
  pageWidth: number;
  isDark: boolean;
};

/** Finds visible plots without marks, and elements that overflow the window without scrolling. */
const INSPECT_LAYOUT = `(() => {
  const isShown = (element) => element.getClientRects().length > 0;
  const plots = [...document.querySelectorAll("figure svg")].filter(isShown);
  const groups = (plot) => [...plot.querySelectorAll("g[aria-label], path[aria-label]")]
    .filter((group) => !/axis|grid|^rule$/.test(group.getAttribute("aria-label")) && !group.closest('[aria-label*="axis"]'));
  const isPainted = ({ fill, stroke }) => fill !== "none" || stroke !== "none";
  const isMark = (mark) => isShown(mark) && isPainted(getComputedStyle(mark)) && mark.getAttribute("d") !== "";
  const marksOf = (group) => group.querySelectorAll("path, rect, circle, line, text").length > 0
    ? [...group.querySelectorAll("path, rect, circle, line, text")] : [group];
  const hasMarks = (plot) => groups(plot).length > 0 && groups(plot).every((group) => marksOf(group).every(isMark));
  const nameOf = (element) => element.closest("figure")?.querySelector("figcaption").textContent ?? element.outerHTML.slice(0, 80);
  const overflows = (element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll");
  return {
    plots: plots.length,
    emptyPlots: plots.filter((plot) => !hasMarks(plot)).map(nameOf),
    overflowing: [...document.querySelectorAll("body *")].filter((element) => isShown(element) && overflows(element)).map(nameOf),
    pageWidth: document.documentElement.scrollWidth,
    isDark: getComputedStyle(document.body).backgroundColor === "rgb(18, 22, 29)",
  };
})()`;
