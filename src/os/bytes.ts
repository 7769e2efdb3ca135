/**
 * Bytes that are not UTF-8, carried in strings.
 *
 * File names, arguments and environment values on Unix are bytes. Nearly all are UTF-8; the rest must still
 * come out as they went in. Each byte 0x80-0xFF that is not part of valid UTF-8 becomes the lone surrogate
 * U+DC80-U+DCFF, which valid UTF-8 can never produce, and back. (Python's PEP 383 does the same.)
 */

const REPLACEMENT = '\ufffd';
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The string that stands for these bytes. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeDamaged(bytes);
  }
}

/** The bytes this string stands for. */
export function encodeBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  // Iterating by code point keeps real surrogate pairs whole; only lone ones are bytes.
  for (const symbol of text) {
    const point = symbol.codePointAt(0) ?? 0;
    parts.push(point >= 0xdc80 && point <= 0xdcff ? Uint8Array.of(point & 0xff) : encoder.encode(symbol));
  }
  return concatBytes(parts);
}

/** Whether a runtime's own decoding may have lost bytes of this text, so that the raw ones must be fetched. */
export function looksMangled(text: string): boolean {
  return text.includes(REPLACEMENT);
}

/** Whether this string must be given to the machine as bytes, because UTF-8 cannot hold it. */
export function needsBytes(text: string): boolean {
  return !text.isWellFormed();
}

/**
 * The big-endian number of `width` bytes, at most six, at `at`. (A DataView could read it too; but making one for
 * every short header costs several times what reading the header does.)
 */
export function unsignedAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let byte = at; byte < at + width; byte++) value = value * 256 + (bytes[byte] ?? 0);
  return value;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function decodeDamaged(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const end = endOfValid(bytes, at);
    if (end > at) text += strict.decode(bytes.subarray(at, end));
    if (end < bytes.length) text += String.fromCharCode(0xdc00 + (bytes[end] ?? 0));
    at = end + 1;
  }
  return text;
}

function endOfValid(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const length = validSequence(bytes, at);
    if (length === 0) break;
    at += length;
  }
  return at;
}

/**
 * Length of the valid UTF-8 sequence that starts here, 0 when there is none. By arithmetic, for a TextDecoder
 * that throws at every byte takes seconds for a hostile megabyte. Ranges: table 3-7 of the Unicode Standard.
 */
function validSequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] ?? 0;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next++) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
