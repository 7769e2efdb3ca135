/** What a run's command has said, where it was kept. */

import { decodeBytes } from '../../os/bytes.ts';
import { hasErrno, type Machine } from '../../os/ports.ts';
import { readSmallFile } from '../../os/transfer.ts';
import type { Job, OutputFile, Queue } from '../../queue/contract.ts';

/** More than is ever kept of a run's output. */
const LIMIT_BYTES = 4 * 1024 * 1024;

export type SavedOutput = { readonly path: string; readonly text: string };

/** Its standard error, then its standard output, as far as there is any. */
export async function savedOutput(
  { files }: Machine,
  queue: Queue,
  job: Job,
  attempt: number,
): Promise<SavedOutput[]> {
  const found: SavedOutput[] = [];
  const outputs = [...(queue.outputsOf?.(job, attempt) ?? [])];
  for (const { path, bytes } of outputs.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))) {
    try {
      const said = bytes ?? (await readSmallFile(files, path, LIMIT_BYTES));
      found.push({ path, text: decodeBytes(said) });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT') && !(error instanceof RangeError)) throw error;
    }
  }
  return found;
}

const ORDER: readonly OutputFile['kind'][] = ['stderr', 'stdout', 'both'];

/** Characters that are none: sequences that colour text or move the cursor, tabs, bells. */
const CONTROLS = /\p{Cc}(\[[0-9;?]*[A-Za-z])?/gu;

/** The last lines that say something, none of them longer than `width`, without what would move a cursor. */
export function lastLines(text: string, count: number, width: number): string[] {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const plain = lines.slice(-count).map((line) => line.replace(CONTROLS, ' ').trimEnd());
  return plain.map((line) => (line.length > width ? `${line.slice(0, width - 3)}...` : line));
}
