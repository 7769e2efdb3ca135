/** Any text as a name that every file system takes. */

import { encodeBytes } from '../os/bytes.ts';

/** Letters, digits, `_` and `-` as they are, other bytes as `%2E`. */
export function asFileName(text: string): string {
  let encoded = '';
  for (const byte of encodeBytes(text)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9_-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** The same, no longer than `limit` and 17 more: of a longer one the beginning, `~`, and a number made from all of it. */
export function asShortFileName(text: string, limit: number): string {
  const encoded = asFileName(text);
  return encoded.length <= limit ? encoded : `${encoded.slice(0, limit)}~${fingerprint(encodeBytes(text))}`;
}

/** FNV-1a, 64 bits, in hexadecimal. */
export function fingerprint(bytes: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
  return hash.toString(16).padStart(16, '0');
}
