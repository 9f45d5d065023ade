import type { ApiRequest } from "../load/wire.ts";
import type { Fixtures } from "../testbed/fixtures.ts";

/** A scenario of any suite, as `bench list` names it. */
export type SuiteScenario = { name: string; about: string };

/** One kind of request, by the operation that it asks for; `n` tells one from another. */
export type Scenario = {
  operation: string;
  request(fixtures: Fixtures, n: number): ApiRequest | Promise<ApiRequest>;
};

/** A request, and the operation that it asks for where a scenario asks for several. */
export type LoadRequest = ApiRequest & { operation?: string };

/** What is put under load: requests of one operation, or of several. `n` tells one from another. */
export type LoadScenario = {
  operation: string;
  request(fixtures: Fixtures, n: number): LoadRequest | Promise<LoadRequest>;
  /** Among how many people requests go round. */
  people?: number;
  /** Who of them asks; each in turn unless said. */
  personOf?(n: number): number;
  /** When requests are due, of a load that was recorded; the first second does not count. */
  dueMs?: number[];
  /**
   * Who come all at once, while `request` is asked for at the usual rate; some of them may be
   * refused.
   */
  wave?: Wave;
  /** What the application is set to otherwise than for other scenarios; "" is its own default. */
  settings?: Record<string, string>;
};

/** `people`, each with one request, from `fromMs` of a run on, all within `withinMs`. */
export type Wave = {
  people: number;
  fromMs: number;
  withinMs: number;
  request: LoadScenario["request"];
};

/** Several, because writes of one person wait for one another. */
export const PEOPLE = 8;

const AT_ONCE = 8;

/**
 * `count` requests, of each person in turn; what they need is made now, several people's at once.
 */
export async function prepareRequests(
  fixtureSets: Fixtures[],
  { request, personOf = (n) => n % fixtureSets.length }: LoadScenario,
  count: number,
): Promise<LoadRequest[]> {
  const asked: LoadRequest[] = [];
  const makeThose = async (lane: number) => {
    for (let n = lane; n < count; n += AT_ONCE)
      asked[n] = await request(fixtureSets[personOf(n)] as Fixtures, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => makeThose(lane)));
  return asked;
}
