/** Any name as one segment of an address, bytes that are not UTF-8 among them, and back. */

import { decodeBytes, encodeBytes } from '../../os/bytes.ts';

export function segmentOf(name: string): string {
  let segment = '';
  for (const byte of encodeBytes(name)) {
    const character = String.fromCharCode(byte);
    segment += /[\w-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return segment;
}

/** Undefined for what no browser sends. */
export function nameOf(segment: string): string | undefined {
  if (!/^(?:[^%]|%[\da-fA-F]{2})*$/.test(segment)) return undefined;
  const bytes: number[] = [];
  for (const [part] of segment.matchAll(/%[\da-fA-F]{2}|[^%]/gu)) {
    if (part.startsWith('%')) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...encodeBytes(part));
  }
  return decodeBytes(Uint8Array.from(bytes));
}
