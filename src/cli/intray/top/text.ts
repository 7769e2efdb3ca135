/** Text in columns of a terminal, styled: what a screen is made of. */

import stringWidth from 'string-width';
import { printable } from '../../printable.ts';

export type Style = 'plain' | 'good' | 'warning' | 'bad' | 'faint' | 'bold' | 'bar';

export type Span = { readonly text: string; readonly style: Style };

/** What is shown in one line of the screen. All of its text is printable. */
export type Line = readonly Span[];

/** No terminal is so wide; names and outputs may be long. */
const LONGEST = 2000;

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

/** Text of others, made safe. */
export function safe(text: string): string {
  return printable(text.length > LONGEST ? text.slice(0, LONGEST) : text);
}

export const widthOf: (text: string) => number = (text) => stringWidth(text);

const ASCII = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter();

/** At most so many columns of a printable text; an ellipsis says that there was more. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (text.length <= columns && ASCII.test(text)) return text;
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment);
    if (used > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The same of a path, whose end says more than its beginning. */
export function cutStart(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (widthOf(text) <= columns) return text;
  const segments = [...graphemes.segment(text)].map(({ segment }) => segment);
  let kept = '';
  let used = 1;
  for (const segment of segments.reverse()) {
    used += widthOf(segment);
    if (used > columns) break;
    kept = segment + kept;
  }
  return `…${kept}`;
}

/** Exactly so many columns. */
export function padTo(
  text: string,
  columns: number,
  { align = 'left', keep = 'start' }: Padding = {},
): string {
  const shown = keep === 'end' ? cutStart(text, columns) : cut(text, columns);
  const room = ' '.repeat(Math.max(0, columns - widthOf(shown)));
  return align === 'right' ? `${room}${shown}` : `${shown}${room}`;
}

export type Padding = { readonly align?: 'left' | 'right'; readonly keep?: 'start' | 'end' };

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** At most so many columns of a line. */
export function cutLine(line: Line, columns: number): Line {
  const kept: Span[] = [];
  let left = columns;
  for (const { text, style } of line) {
    if (left <= 0) break;
    const shown = cut(text, left);
    kept.push({ text: shown, style });
    left -= widthOf(shown);
  }
  return kept;
}

/** One at the left, one at the right; where there is no room for both, the left one is cut or alone. */
export function between(left: Line, right: Line, columns: number): Line {
  if (!Number.isFinite(columns)) return [...left, span('  '), ...right];
  const room = columns - lineWidth(right);
  if (room < LEAST_LEFT) return cutLine(left, columns);
  const shown = cutLine(left, room - 1);
  return [...shown, span(' '.repeat(room - lineWidth(shown))), ...right];
}

/** Below this, what stands at the right is left out. */
const LEAST_LEFT = 16;

export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}
