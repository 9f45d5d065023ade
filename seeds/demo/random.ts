/**
 * A stream of pseudo-random numbers. The same seed gives the same numbers on every machine, because
 * it uses integer and basic IEEE arithmetic only.
 */
export type Random = {
  /** An unsigned 32-bit number. */
  bits(): number;
  /** At least 0, below 1. */
  share(): number;
  /** A whole number from `low` to `high`, both inclusive. */
  whole(low: number, high: number): number;
  between(low: number, high: number): number;
  /** True with the given probability. */
  happens(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /**
   * Approximately normal around 0: mostly within -1 and 1, never beyond 3.5. The scaled sum of four
   * uniform numbers (Irwin and Hall 1927).
   */
  bell(): number;
};

/** Stream `nth` of a seed, by sfc32 (Chris Doty-Humphrey, PractRand, public domain). */
export function createRandom(seed: number, nth: number): Random {
  let a = seed | 0;
  let b = nth | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const bits = () => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return mixed >>> 0;
  };
  // Mix until every bit of the seed has affected every bit of the state.
  for (let round = 0; round < 15; round++) bits();
  const share = () => bits() / 2 ** 32;
  return {
    bits,
    share,
    whole: (low, high) => low + Math.floor(share() * (high - low + 1)),
    between: (low, high) => low + share() * (high - low),
    happens: (probability) => share() < probability,
    pick: <T>(choices: readonly T[]) => choices[Math.floor(share() * choices.length)] as T,
    bell: () => (share() + share() + share() + share() - 2) * 1.75,
  };
}

/** A UUID version 7 (RFC 9562, 5.7) of that millisecond, written into `into` if given. */
export function uuidAt(ms: number, random: Random, into = new Uint8Array(16)): Uint8Array {
  let rest = ms;
  for (let index = 5; index >= 0; index--) {
    into[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  for (let index = 6; index < 16; index += 4) {
    const bits = random.bits();
    into[index] = bits;
    into[index + 1] = bits >>> 8;
    if (index + 2 < 16) into[index + 2] = bits >>> 16;
    if (index + 3 < 16) into[index + 3] = bits >>> 24;
  }
  into[6] = 0x70 | ((into[6] as number) & 0x0f);
  into[8] = 0x80 | ((into[8] as number) & 0x3f);
  return into;
}
