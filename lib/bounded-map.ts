export type BoundedMap<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  clear(): void;
  entries(): IterableIterator<[Key, Value]>;
};

/**
 * A least-recently-used cache of at most `limit` entries. While it is at most half full, no entry is
 * near eviction, so `get` does not update the order.
 */
export function createBoundedMap<Key, Value>(limit: number): BoundedMap<Key, Value> {
  const map = new Map<Key, Value>();
  return {
    get: (key) => {
      const value = map.get(key);
      if (value !== undefined && map.size * 2 > limit) {
        map.delete(key);
        map.set(key, value);
      }
      return value;
    },
    set: (key, value) => {
      map.delete(key);
      if (map.size >= limit) map.delete(map.keys().next().value as Key);
      map.set(key, value);
    },
    delete: (key) => void map.delete(key),
    clear: () => map.clear(),
    entries: () => map.entries(),
  };
}
