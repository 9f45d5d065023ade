import type { HandlerInput } from "../measure/counts.ts";
import { makeWorld, type World } from "../testbed/fixtures.ts";
import type { Stand } from "../testbed/testbed.ts";

/** A request, and the operation that it asks for where a scenario asks for several. */
export type LoadAsked = HandlerInput & { operation?: string };

/** What is put under load: requests of one operation, or of several. `n` tells one from another. */
export type LoadScenario = {
  operation: string;
  request(world: World, n: number): LoadAsked | Promise<LoadAsked>;
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
 * New people who know nothing of one another, each with training, a trainer and an administrator.
 */
export async function makeWorlds(stand: Stand, count: number): Promise<World[]> {
  const worlds: World[] = [];
  while (worlds.length < count) {
    const next = Array.from({ length: Math.min(AT_ONCE, count - worlds.length) }, () =>
      makeWorld(stand),
    );
    worlds.push(...(await Promise.all(next)));
  }
  return worlds;
}

/**
 * `count` requests, of each person in turn; what they need is made now, several people's at once.
 */
export async function askedOf(
  worlds: World[],
  { request, personOf = (n) => n % worlds.length }: LoadScenario,
  count: number,
): Promise<LoadAsked[]> {
  const asked: LoadAsked[] = [];
  const makeThose = async (lane: number) => {
    for (let n = lane; n < count; n += AT_ONCE)
      asked[n] = await request(worlds[personOf(n)] as World, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => makeThose(lane)));
  return asked;
}
