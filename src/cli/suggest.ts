/** For typos: the one word of several that was probably meant. */

/** Up to this many letters wrong, left out, added or swapped; in short words fewer. */
const MOST_WRONG = 2;
const LETTERS_PER_WRONG = 3;
/** Fewer letters than this could be the beginning of anything. */
const LEAST_BEGINNING = 2;

/** Undefined when nothing is near, or two are equally near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const begun = candidates.filter((candidate) => candidate.startsWith(lower));
  if (lower.length >= LEAST_BEGINNING && begun.length === 1) return begun[0];
  const allowed = Math.min(MOST_WRONG, Math.floor(lower.length / LETTERS_PER_WRONG));
  const near = candidates
    .map((candidate) => ({ candidate, wrong: distance(lower, candidate) }))
    .filter(({ wrong }) => wrong <= allowed)
    .sort((a, b) => a.wrong - b.wrong);
  return near[0]?.wrong === near[1]?.wrong ? undefined : near[0]?.candidate;
}

/** "; did you mean X?", or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean \`${meant}\`?`;
}

/** How many letters must be changed, added, removed or swapped with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = (last[column - 1] ?? 0) + (same ? 0 : 1);
      least = Math.min(least, (last[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1);
      now.push(least);
    }
    beforeLast = last;
    last = now;
  }
  return last[b.length] ?? 0;
}
