/** The beginning of a payload, as text where it is text, and in hex. */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Machine } from '../os/ports.ts';
import type { Keeper } from '../queue/keeper.ts';
import type { FoundJob } from '../queue/snapshot.ts';

export type Preview = {
  readonly bytes: Uint8Array;
  /** There is more of it. */
  readonly isCut: boolean;
};

export async function previewOf(
  { files }: Machine,
  keeper: Keeper,
  job: FoundJob,
  limitBytes: number,
): Promise<Preview> {
  const { payload, finish } = await keeper.openPayload(job);
  const bytes = new Uint8Array(limitBytes + 1);
  let length = 0;
  try {
    while (length < bytes.length) {
      // One that is unpacked may take its time: others are answered meanwhile.
      const count = await files.readAside(payload, bytes, length, bytes.length - length);
      if (count === 0) break;
      length += count;
    }
  } catch (error) {
    await closeQuietly(files, payload);
    throw error;
  }
  await finish();
  return { bytes: bytes.subarray(0, Math.min(length, limitBytes)), isCut: length > limitBytes };
}

/** Its text; undefined when it is none. A character that the limit has cut through is left out. */
export function textOf({ bytes, isCut }: Preview): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut });
    return UNLIKE_TEXT.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Control characters but tab, line feed, form feed, carriage return and escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const UNLIKE_TEXT = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f]/;

const ROW_BYTES = 16;

/** As `hexdump -C` shows it. */
export function hexOf(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = [...bytes.subarray(at, at + ROW_BYTES)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * ROW_BYTES - 1)}  ${text}`);
  }
  return rows.join('\n');
}
