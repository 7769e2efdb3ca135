/**
 * What a job wrote for a terminal, as HTML: colours as colours, everything else as text.
 *
 * Nothing of the text is ever markup: each piece is escaped by itself, and what stands around it is ours. Of escape
 * sequences only those that set how characters look (SGR: ECMA-48, 8.3.117, and the 256 and 24-bit colours of xterm) are
 * followed; all others are left out. A carriage return begins its line anew, as progress bars mean it.
 */

import { printable } from '../os/printable.ts';
import { escapeHtml } from './markup.ts';

type Colour = number | string | undefined;

type Look = {
  /** 0 to 15 are classes, so that the page can choose its colours; others are `#rrggbb`. */
  readonly front: Colour;
  readonly back: Colour;
  readonly flags: ReadonlySet<Flag>;
};

/** Each is a class of its own. */
type Flag = 'bold' | 'faint' | 'italic' | 'underline' | 'inverse' | 'struck';

const PLAIN: Look = { front: undefined, back: undefined, flags: new Set() };

const SET: Readonly<Record<number, Flag>> = {
  1: 'bold',
  2: 'faint',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'struck',
};
const UNSET: Readonly<Record<number, readonly Flag[]>> = {
  22: ['bold', 'faint'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['struck'],
};

const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-Z\\`-~]?)/g;

export function ansiToHtml(text: string): string {
  let look = PLAIN;
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  return lines
    .map((line) => {
      let html = '';
      for (const part of line.split('\r')) {
        const { html: drawn, after } = drawLine(part, look);
        look = after;
        if (drawn !== '') html = drawn;
      }
      return html;
    })
    .join('\n');
}

function drawLine(line: string, before: Look): { readonly html: string; readonly after: Look } {
  let look = before;
  let html = '';
  let at = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    html += piece(line.slice(at, match.index), look);
    at = match.index + match[0].length;
    const [, parameters, final] = match;
    if (final === 'm' && parameters !== undefined) look = changed(look, parameters);
  }
  return { html: html + piece(line.slice(at), look), after: look };
}

/** `0;1;38;5;200`, also with colons between what belongs together. */
function changed(before: Look, parameters: string): Look {
  if (/[<=>?]/.test(parameters)) return before; // another command of the same letter
  let look = before;
  const numbers = parameters.split(/[;]/);
  for (let at = 0; at < numbers.length; at++) {
    const [code = 0, ...own] = (numbers[at] ?? '').split(':').map(Number);
    if (code === 38 || code === 48) {
      const rest = own.length > 0 ? withoutSpace(own) : numbers.slice(at + 1, at + 5).map(Number);
      const { colour, used } = extended(rest);
      if (own.length === 0) at += used;
      look = code === 38 ? { ...look, front: colour } : { ...look, back: colour };
    } else look = simple(look, code);
  }
  return look;
}

/** With colons a 24-bit colour may name its colour space first. */
function withoutSpace(own: readonly number[]): readonly number[] {
  return own[0] === 2 && own.length > 4 ? [2, ...own.slice(2)] : own;
}

function simple(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  const set = SET[code];
  if (set !== undefined) return { ...look, flags: new Set([...look.flags, set]) };
  const unset = UNSET[code];
  if (unset !== undefined)
    return { ...look, flags: new Set([...look.flags].filter((flag) => !unset.includes(flag))) };
  if (code === 39) return { ...look, front: undefined };
  if (code === 49) return { ...look, back: undefined };
  if (code >= 30 && code <= 37) return { ...look, front: code - 30 };
  if (code >= 40 && code <= 47) return { ...look, back: code - 40 };
  if (code >= 90 && code <= 97) return { ...look, front: code - 90 + 8 };
  if (code >= 100 && code <= 107) return { ...look, back: code - 100 + 8 };
  return look;
}

/** `5;N` or `2;R;G;B`, and how many numbers that was. */
function extended(rest: readonly number[]): { readonly colour: Colour; readonly used: number } {
  const [kind, ...values] = rest;
  const isByte = (value: number | undefined): value is number =>
    value !== undefined && Number.isInteger(value) && value >= 0 && value <= 255;
  if (kind === 5) {
    const [index] = values;
    return { colour: isByte(index) ? ofPalette(index) : undefined, used: 2 };
  }
  if (kind !== 2) return { colour: undefined, used: 1 };
  const rgb = values.slice(0, 3);
  return { colour: rgb.length === 3 && rgb.every(isByte) ? hex(rgb) : undefined, used: 4 };
}

/** The 256 colours: 16 of the terminal, a cube of 6 x 6 x 6, and 24 greys. */
function ofPalette(index: number): Colour {
  if (index < 16) return index;
  if (index >= 232) return hex(Array(3).fill(8 + 10 * (index - 232)));
  const cube = index - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level));
}

function hex(rgb: readonly number[]): string {
  return `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function piece(text: string, { front, back, flags }: Look): string {
  if (text === '') return '';
  const html = escapeHtml(text.split('\t').map(printable).join('\t'));
  const isInverse = flags.has('inverse');
  const [ink, paper] = isInverse ? [back ?? 'paper', front ?? 'ink'] : [front, back];
  const classes: string[] = [...flags].filter((flag) => flag !== 'inverse');
  const styles: string[] = [];
  const note = (kind: 'f' | 'b', property: string, colour: Colour) => {
    if (colour === undefined) return;
    if (typeof colour === 'string' && colour.startsWith('#')) styles.push(`${property}:${colour}`);
    else classes.push(`${kind}-${colour}`);
  };
  note('f', 'color', ink);
  note('b', 'background-color', paper);
  if (classes.length + styles.length === 0) return html;
  const ofClass = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  const ofStyle = styles.length === 0 ? '' : ` style="${styles.join(';')}"`;
  return `<span${ofClass}${ofStyle}>${html}</span>`;
}
