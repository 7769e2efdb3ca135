// @ts-check
/** The courier: decides from a seed in which order the packets arrive, and which one is late. */

/**
 * Three deliveries of the nights 1 to 5: four nights shuffled into two of them, and one night (the second or the
 * third) that comes last of all.
 *
 * @param {number} seed
 * @returns {{ late: 2 | 3, deliveries: number[][] }}
 */
export function planDeliveries(seed) {
  const random = randomFrom(seed);
  const late = random() < 0.5 ? 2 : 3;
  const others = shuffle(
    [1, 2, 3, 4, 5].filter((night) => night !== late),
    random,
  );
  return { late, deliveries: [others.slice(0, 2), others.slice(2), [late]] };
}

/**
 * Fisher and Yates.
 *
 * @param {readonly number[]} items
 * @param {() => number} random
 */
function shuffle(items, random) {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [item] = shuffled.splice(other, 1);
    shuffled.splice(last, 0, /** @type {number} */ (item));
  }
  return shuffled;
}

/**
 * Numbers from 0 up to 1, always the same for one seed (mulberry32, public domain).
 *
 * @param {number} seed
 */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
