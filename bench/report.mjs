// @ts-check
/** What a topic gives back, and how it looks on the screen. */

/**
 * @typedef {object} Setting
 * @property {string} directory empty, for this topic alone
 * @property {ReturnType<typeof import('./sides.mjs').findSides>} sides
 * @property {boolean} quick
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {Record<string, number>} values by the name of the side; or, where sides are not what is compared, of
 *   the column
 */

/**
 * @typedef {object} Table
 * @property {string} title
 * @property {string} unit
 * @property {'less' | 'more'} better
 * @property {Row[]} rows
 */

/**
 * @typedef {object} Topic
 * @property {string} name
 * @property {string} about
 * @property {(setting: Setting) => Promise<Table[]>} run
 */

/** In the order of the columns. */
const OURS = ['executable', 'node'];

/**
 * Our number divided by the real program's; undefined without both.
 *
 * @param {Row} row
 * @param {string} side
 */
export function ratio({ values }, side) {
  const { real, [side]: ours } = values;
  return real === undefined || ours === undefined ? undefined : ours / real;
}

/**
 * A table as text: the numbers of each side, ours with their ratio to the real one's.
 *
 * @param {Table} table
 */
export function formatTable({ title, unit, better, rows }) {
  const known = ['real', ...OURS].filter((side) => rows.some(({ values }) => values[side] !== undefined));
  const sides = known.length > 0 ? known : [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const compared = sides.includes('real');
  const head = [unit];
  for (const side of sides) head.push(side, ...(compared && side !== 'real' ? ['ours/real'] : []));
  const body = rows.map((row) => {
    const cells = [row.name];
    for (const side of sides) {
      cells.push(formatNumber(row.values[side]));
      if (compared && side !== 'real') cells.push(formatNumber(ratio(row, side), 2));
    }
    return cells;
  });
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  const lines = [head, ...body].map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return [`${title}; ${better} is better`, ...lines.map((line) => `  ${line}`)].join('\n');
}

/**
 * Three digits that matter, or so.
 *
 * @param {number | undefined} number
 * @param {number} [decimals]
 */
function formatNumber(number, decimals) {
  if (number === undefined) return '-';
  return number.toFixed(decimals ?? (number >= 100 ? 0 : number >= 10 ? 1 : 2));
}
