import type { ApiRequest } from "../load/wire.ts";
import type { Fixtures } from "../testbed/fixtures.ts";

/** A scenario of any suite, as `bench list` names it. */
export type SuiteScenario = { name: string; about: string };

/** Requests of one operation; `n` makes each different. */
export type Scenario = {
  operation: string;
  request(fixtures: Fixtures, n: number): ApiRequest | Promise<ApiRequest>;
};

/** A request, with its operation if the scenario has several. */
export type LoadRequest = ApiRequest & { operation?: string };

/** A load of requests of one operation or several; `n` makes each different. */
export type LoadScenario = {
  operation: string;
  request(fixtures: Fixtures, n: number): LoadRequest | Promise<LoadRequest>;
  /** The number of athletes, each with fixtures of their own. */
  people?: number;
  /** The index of the athlete who sends a request; round robin by default. */
  personOf?(n: number): number;
  /** When the requests of a recorded load are due; the first second is discarded. */
  dueMs?: number[];
  /** Requests that arrive at once in addition to `request`; some may be refused. */
  wave?: Wave;
  /** Settings that differ from other scenarios; "" is the application's own default. */
  settings?: Record<string, string>;
};

/** `people` requests, each by another account, between `fromMs` of a run and `withinMs` later. */
export type Wave = {
  people: number;
  fromMs: number;
  withinMs: number;
  request: LoadScenario["request"];
};

/** Several, because writes of one athlete wait for each other. */
export const PEOPLE = 8;

const CONCURRENCY = 8;

/**
 * Prepares `count` requests, round robin over the athletes, and creates what they need, several at
 * a time.
 */
export async function prepareRequests(
  fixtureSets: Fixtures[],
  { request, personOf = (n) => n % fixtureSets.length }: LoadScenario,
  count: number,
): Promise<LoadRequest[]> {
  const requests: LoadRequest[] = [];
  const prepareLane = async (lane: number) => {
    for (let n = lane; n < count; n += CONCURRENCY)
      requests[n] = await request(fixtureSets[personOf(n)] as Fixtures, n);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, lane) => prepareLane(lane)));
  return requests;
}
