/** How long the disk takes to sync a little, asked of the disk itself: nobody notes how long the syncs of workers took. */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Machine } from '../os/ports.ts';

/** No queue takes it for one of its own. */
const PROBE_PREFIX = '.intray-probe-';
const SYNCS = 8;
const BYTES = 4096;

/** In seconds, shortest first. Makes a file in that directory and removes it. */
export async function probeSyncs(
  { files, clock, random }: Machine,
  directory: string,
): Promise<readonly number[]> {
  const path = `${directory}/${PROBE_PREFIX}${random.uuid()}`;
  const seconds: number[] = [];
  const file = await files.open(path, 'create');
  try {
    for (let sync = 0; sync < SYNCS; sync++) {
      await files.write(file, new Uint8Array(BYTES));
      const begunMs = clock.monotonicMs();
      await files.fsync(file);
      seconds.push((clock.monotonicMs() - begunMs) / 1000);
    }
  } finally {
    await closeQuietly(files, file);
    await files.unlink(path);
  }
  return seconds.sort((a, b) => a - b);
}
