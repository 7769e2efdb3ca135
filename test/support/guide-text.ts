/**
 * What a guide expects to be printed: `...` stands for anything within a line, and between columns there may be more or
 * fewer spaces, for an age of ten seconds is wider than one of nine.
 */
export function expectedText(expected: string, anything = '.*'): RegExp {
  const parts = expected
    .split('...')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ {2,}/g, ' +'));
  return new RegExp(`^${parts.join(anything)}$`);
}
