/**
 * Tables that keep to a width: first the long columns are cut, then columns are left out, the least important first.
 */

import { cutLine, type Line, padTo, type Span, type Style, span, widthOf } from './text.ts';

export type Cell = { readonly text: string; readonly style?: Style };

export type Column<Row> = {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Which part of a text that is cut stays. Default: its start. */
  readonly keep?: 'start' | 'end';
  /** May be cut to this many columns; left out: it may not be cut. */
  readonly least?: number;
  /** For as much of it as this, columns of little importance are left out. */
  readonly fair?: number;
  /** The higher, the sooner it is left out; left out: it stays. */
  readonly leave?: number;
  /** Whether it is left out when no row has anything to say there. */
  readonly onlyIfAny?: boolean;
  /** Printable. */
  readonly cell: (row: Row) => Cell;
};

export type TableLines = { readonly head: Line; readonly rows: readonly Line[] };

const BETWEEN = 2;
/** What `leave` is from here on. */
const LITTLE_IMPORTANCE = 3;
/** What stands before the row that is chosen, and room for it before the others. */
const MARK = '> ';

/** `chosen`: which of the rows the cursor is on. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  chosen?: number,
): TableLines {
  let shown = columns.map((column, index): Shown => {
    const cells = rows.map((row) => column.cell(row));
    const widest = cells.reduce((most, { text }) => Math.max(most, widthOf(text)), column.title.length);
    return { title: column.title, column, cells, index, width: widest };
  });
  shown = shown.filter(({ column, cells }) => !column.onlyIfAny || cells.some(({ text }) => text !== ''));
  const room = width - MARK.length;
  const leaveOut = (least: number, needed: (one: Shown) => number) => {
    while (sumOf(shown, needed) > room) {
      const first = shown
        .filter(({ column }) => (column.leave ?? 0) >= least)
        .sort((a, b) => (b.column.leave ?? 0) - (a.column.leave ?? 0))[0];
      if (first === undefined) return;
      shown = shown.filter((one) => one !== first);
    }
  };
  leaveOut(LITTLE_IMPORTANCE, ({ column, width: wide }) =>
    Math.min(wide, column.fair ?? column.least ?? wide),
  );
  leaveOut(1, ({ column, width: wide }) => Math.min(wide, column.least ?? wide));
  narrow(shown, room);
  const line = (mark: string, cellOf: (one: Shown) => Cell, style?: Style): Line => {
    const spans: Span[] = [span(mark, style)];
    shown.forEach((one, at) => {
      const last = at === shown.length - 1;
      const cell = cellOf(one);
      spans.push(span(padTo(cell.text, one.width, one.column), style ?? cell.style ?? 'plain'));
      if (!last) spans.push(span(' '.repeat(BETWEEN), style));
    });
    return cutLine(spans, width);
  };
  return {
    head: line(' '.repeat(MARK.length), ({ title }) => ({ text: title }), 'faint'),
    rows: rows.map((_, row) => {
      const cellOf = ({ cells }: Shown) => cells[row] ?? { text: '' };
      if (row !== chosen) return line(' '.repeat(MARK.length), cellOf);
      return [span(MARK, 'bold'), ...line('', cellOf)];
    }),
  };
}

type Shown = {
  readonly title: string;
  readonly column: Omit<Column<never>, 'cell'>;
  readonly cells: readonly Cell[];
  readonly index: number;
  width: number;
};

function sumOf(shown: readonly Shown[], needed: (one: Shown) => number): number {
  return shown.reduce((sum, one) => sum + needed(one), BETWEEN * Math.max(0, shown.length - 1));
}

/** Takes from the widest of the columns that may be cut, one after the other. */
function narrow(shown: readonly Shown[], room: number): void {
  let excess = sumOf(shown, ({ width }) => width) - room;
  while (excess > 0) {
    let widest: Shown | undefined;
    for (const one of shown) {
      const { least = one.width } = one.column;
      if (one.width > least && one.width > (widest?.width ?? 0)) widest = one;
    }
    if (widest === undefined) return;
    widest.width -= 1;
    excess -= 1;
  }
}
