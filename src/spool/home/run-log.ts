/** What became of each start of a job: `log/STEM.jsonl`, one line each, and what its command said beside it. */

import { encodeBytes } from '../../os/bytes.ts';
import type { Machine } from '../../os/ports.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { join } from '../layout.ts';
import { room } from './rooms.ts';

/** Times are RFC 3339. */
export type RunRecord = {
  readonly attempt: number;
  readonly outcome: 'succeeded' | 'failed' | 'retry' | 'released' | 'lost' | 'abandoned';
  readonly reason?: string;
  readonly worker: string;
  readonly started?: string;
  readonly ended: string;
};

export function runLogPath(queue: string, stem: string): string {
  return join(room(queue, 'log'), `${stem}.jsonl`);
}

export function outputPath(queue: string, stem: string, attempt: number): string {
  return join(room(queue, 'log'), `${stem}.${attempt}.out`);
}

/** Adds a line. Not synced: what the log says is never what a job's fate hangs on. */
export async function recordRun(
  { files }: Machine,
  queue: string,
  stem: string,
  record: RunRecord,
): Promise<void> {
  const descriptor = await files.open(runLogPath(queue, stem), 'append');
  try {
    await files.write(descriptor, encodeBytes(`${JSON.stringify(record)}\n`));
  } finally {
    await closeQuietly(files, descriptor);
  }
}
