// @ts-check
/** What the reader sees: plain text of at most 80 columns, with a little colour on a terminal. */

const WIDTH = 80;
const coloured =
  process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
const unicode = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '');

/** How a night's packet is drawn. */
export const MARKS = unicode
  ? { restored: '■', waiting: '□', away: '·' }
  : { restored: '#', waiting: 'o', away: '.' };

/** @param {string} code */
const style = (code) => (/** @type {string} */ text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = style('1');
export const dim = style('2');
export const green = style('32');
export const red = style('1;31');
export const yellow = style('33');
const cyan = style('36');

export function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** @param {string} text */
export function heading(text) {
  say();
  say(bold(text));
  say();
}

/**
 * A command as it was run; its further lines stand under the first.
 *
 * @param {string} place
 * @param {string} command
 */
export function showCommand(place, command) {
  const [first, ...rest] = command.split('\n');
  say(`  ${dim(`${place}$`)} ${cyan(first ?? '')}`);
  for (const line of rest) say(`  ${' '.repeat(place.length + 2)}${cyan(line)}`);
}

/** Where what belongs to a line with a name before it begins. */
const DETAIL_COLUMN = 11;

/** @param {string} text */
export function detail(text) {
  say(' '.repeat(DETAIL_COLUMN) + text);
}

/**
 * What a command said, wrapped and indented.
 *
 * @param {string} text
 * @param {(line: string) => string} paint
 */
export function quote(text, paint = dim) {
  for (const line of text.trimEnd().split('\n')) {
    for (const part of wrap(line, WIDTH - DETAIL_COLUMN)) detail(paint(part));
  }
}

/**
 * @param {string} text
 * @param {number} width
 */
function wrap(text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** @param {number} count */
export function number(count) {
  return count.toLocaleString('en-US');
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * "1 job", "2 jobs".
 *
 * @param {number} count
 * @param {string} noun
 */
export function plural(count, noun) {
  if (count === 1) return `1 ${noun}`;
  return `${number(count)} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}
