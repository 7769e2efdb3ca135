/** Lines as a terminal takes them. */

import { type Line, lineWidth, plainText, type Style } from './text.ts';

/** ECMA-48, "Select Graphic Rendition": these and no colours of our own, so that each terminal's own scheme holds. */
const CODES: Readonly<Record<Style, string>> = {
  plain: '',
  good: '32',
  warning: '33',
  bad: '31',
  faint: '2',
  bold: '1',
  bar: '7',
};

/** Without colour, as NO_COLOR asks for it, letters stay bold or reversed where that says something. */
const COLOURS: readonly Style[] = ['good', 'warning', 'bad'];

export type Palette = 'colour' | 'no-colour' | 'plain';

export function paint(line: Line, palette: Palette): string {
  if (palette === 'plain') return plainText(line);
  return line
    .map(({ text, style }) => {
      const code = palette === 'no-colour' && COLOURS.includes(style) ? '' : CODES[style];
      return code === '' ? text : `\x1b[${code}m${text}\x1b[0m`;
    })
    .join('');
}

/** What terminals that know it show only when it is whole, and others pass over: synchronized output. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const TO_END_OF_LINE = '\x1b[K';
const CLEAR = '\x1b[0m\x1b[2J';

/** Writes what has changed since the last time, line by line: a line that stays is not touched, so nothing flickers. */
export class Painter {
  readonly #palette: Palette;
  #shown: string[] = [];
  #fresh = true;

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  /** Nothing of what was written need be there any more. */
  forget(): void {
    this.#shown = [];
    this.#fresh = true;
  }

  /** What is to be written; '' when nothing has changed. */
  update(lines: readonly Line[], columns: number): string {
    const changes = lines.flatMap((line, row) => {
      const text = paint(line, this.#palette);
      if (this.#shown[row] === text) return [];
      this.#shown[row] = text;
      // In a line that is full, the cursor stands on the last character, which must not be erased.
      const rest = lineWidth(line) < columns ? TO_END_OF_LINE : '';
      return [`\x1b[${row + 1};1H${text}${rest}`];
    });
    const clear = this.#fresh ? CLEAR : '';
    this.#fresh = false;
    return changes.length === 0 && clear === '' ? '' : `${BEGIN}${clear}${changes.join('')}${END}`;
  }
}
