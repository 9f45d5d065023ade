import { expect, test } from "bun:test";
import { type Answers, differenceOf } from "../testbed/peer-testbed.ts";
import { findingsOf, type PeersResult, type Round } from "./peers.ts";
import { peersMarkdown } from "./peers-table.ts";

const round = (ours: number, hono: number | undefined, pgbench = 50): Round => ({
  IronTrack: { page: { cpuUs: 100 / ours, perSecond: ours } },
  ...(hono === undefined
    ? {}
    : { "Hono on Bun": { page: { cpuUs: 100 / hono, perSecond: hono } } }),
  "pgbench on the statement": { page: { cpuUs: 1, perSecond: pgbench } },
});
const rounds = [round(100, 50), round(300, 100), round(400, 100), round(1000, undefined, 500)];

test("a ratio is ours over the other's, from rounds that measured both", () => {
  const findingBeside = (name: string) =>
    findingsOf(rounds).find((finding) => finding.beside === name);
  const hono = findingBeside("Hono on Bun");
  expect([hono?.operation, hono?.ours, hono?.pairs]).toEqual(["page", "IronTrack", 3]);
  expect(
    [hono?.rate.median, hono?.rate.low, hono?.rate.high].map((ratio) => ratio?.toFixed(3)),
  ).toEqual(["3.000", "2.000", "4.000"]);
  expect(hono?.cpu?.median).toBeCloseTo(1 / 3);
  expect(findingBeside("pgbench on the statement")?.cpu).toBeNull();
  expect(findingBeside("Express on Node")).toBeUndefined();
});

test("the page names the machine and what was not measured", () => {
  const host = {
    cpu: "a processor",
    cores: 2,
    bun: "1",
    node: null,
    postgres: "18",
    pins: "",
    commit: "abc",
    at: "",
  };
  const result = {
    host,
    rounds,
    seconds: 1,
    findings: findingsOf(rounds),
    passwords: "",
    notMeasured: ["Express"],
  };
  const page = peersMarkdown(result as unknown as PeersResult);
  expect(page).toContain("a processor, 2 cores, Bun 1, Node absent, PostgreSQL 18");
  expect(page).toContain("| IronTrack | Hono on Bun | 3.00 [2.00, 4.00] | 0.33 [0.25, 0.50] |");
  expect(page).toContain("Not measured here: Express.");
});

test("a peer with different answers is detected, apart from headers and the order of fields", () => {
  const answer = (status: number, body: string) => ({ status, headers: {}, body });
  const ours: Answers = {
    ping: answer(200, "OK"),
    me: answer(200, '{"id":"1","name":null}'),
    page: answer(200, '{"items":[{"id":"2"}]}'),
  };
  expect(
    differenceOf(ours, { ...ours, me: answer(200, '{"name":null,"id":"1"}') }),
  ).toBeUndefined();
  expect(differenceOf(ours, { ...ours, ping: answer(200, "ok") })).toBe("ping");
  expect(differenceOf(ours, { ...ours, me: answer(200, '{"id":"1"}') })).toBe("me");
  expect(differenceOf(ours, { ...ours, page: answer(500, '{"items":[{"id":"2"}]}') })).toBe("page");
});
