/** Chance that is the same for the same seed, on every machine: mulberry32. Never `Math.random`. */

export type Chance = {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  /** True `share` of the time. */
  flip(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A generator of its own, so that what one actor draws does not shift what another gets. */
  branch(label: number): Chance;
};

export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    flip: (share) => next() < share,
    pick: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    branch: (label) => chance(Math.imul(seed ^ 0x9e3779b9, 2654435761) ^ Math.imul(label + 1, 40503)),
  };
}

/** FNV-1a over text: two runs with one hash took the same steps. */
export class TraceHash {
  #hash = 0x811c9dc5;

  add(text: string): void {
    for (let at = 0; at < text.length; at++) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    }
  }

  get value(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }
}
