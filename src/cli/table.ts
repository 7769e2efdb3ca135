/** Tables for people: columns as wide as their widest cell, lines no wider than the terminal. */

import type { Machine } from '../os/ports.ts';
import { columnsOf, cutTo, printable } from './printable.ts';

export type Column = {
  readonly title: string;
  readonly align?: 'right';
  /** In columns of the terminal: wider cells are cut. */
  readonly most?: number;
};

const BETWEEN = '  ';

/**
 * Lines, the first with the titles. The last column may be given per row as something still to be found out, so that
 * output begins before all of it is known.
 */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  readonly #lineWidth: number | undefined;

  /** `cells` are all that the columns must be wide enough for; the last column takes what is left. */
  constructor(columns: readonly Column[], cells: Iterable<readonly string[]>, lineWidth: number | undefined) {
    this.#columns = columns;
    this.#lineWidth = lineWidth;
    this.#widths = columns.map(({ title }) => title.length);
    for (const row of cells) {
      row.forEach((cell, index) => {
        const { most = Number.POSITIVE_INFINITY } = columns[index] ?? {};
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, Math.min(most, columnsOf(printable(cell))));
      });
    }
  }

  head(): string {
    return this.row(this.#columns.map(({ title }) => title));
  }

  row(cells: readonly string[]): string {
    const last = this.#columns.length - 1;
    const line = cells
      .map((cell, index) => {
        const text = printable(cell);
        if (index === last && this.#columns[index]?.align !== 'right') return text;
        const width = this.#widths[index] ?? 0;
        const shown = cutTo(width, text);
        const room = ' '.repeat(Math.max(0, width - columnsOf(shown)));
        return this.#columns[index]?.align === 'right' ? `${room}${shown}` : `${shown}${room}`;
      })
      .join(BETWEEN)
      .trimEnd();
    return `${this.#lineWidth === undefined ? line : cutTo(this.#lineWidth, line)}\n`;
  }
}

/** The width of the terminal that shows our output; undefined when that is a file or a pipe, where nothing is cut. */
export async function lineWidth({ host }: Machine): Promise<number | undefined> {
  return host.terminalColumns?.();
}
