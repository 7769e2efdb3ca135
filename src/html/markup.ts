/**
 * HTML that is escaped by how it is made: what is put into a template of `html` is text, whatever it contains, unless it
 * was made by `html` itself. Text of others, which may turn the direction of writing or hide, is made printable too.
 */

import { printable } from '../os/printable.ts';

const MADE_HERE: unique symbol = Symbol('markup');

export type Markup = { readonly [MADE_HERE]: string };

export type Piece = string | number | bigint | Markup | undefined | readonly Piece[];

/** `undefined` is nothing; a list is its pieces, one after the other. An attribute's value must stand in quotes. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  let made = parts[0] ?? '';
  for (const [index, piece] of pieces.entries()) made += textOf(piece) + (parts[index + 1] ?? '');
  return { [MADE_HERE]: made };
}

/** For what this program has escaped by other means: the output of jobs with its colours, and our own style. */
export function trusted(markup: string): Markup {
  return { [MADE_HERE]: markup };
}

export function markupText(markup: Markup): string {
  return markup[MADE_HERE];
}

function textOf(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece === 'string') return escapeHtml(printable(piece));
  if (typeof piece === 'number' || typeof piece === 'bigint') return String(piece);
  if (isList(piece)) return piece.map(textOf).join('');
  return piece[MADE_HERE];
}

function isList(piece: Markup | readonly Piece[]): piece is readonly Piece[] {
  return Array.isArray(piece);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
