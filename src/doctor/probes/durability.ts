/** Whether the disk says that it has what it was given, and how long it takes. */

import { sleep } from '../../os/sleep.ts';
import { reasonOf } from '../../queue/errors.ts';
import { syncDirectory } from '../../queue/publish.ts';
import { put, using } from '../bench.ts';
import { fails, holds, type Probe, unknown } from '../probe.ts';

const SYNCS = 20;
const BLOCK = new Uint8Array(4096).fill(0x78);

export const syncFile: Probe = {
  name: 'sync-file',
  title: 'sync of a file',
  measure: async (bench) => {
    const { files, clock } = bench.machine;
    const path = await put(bench, 'synced');
    return using(files, await files.open(path, 'lock'), async (file) => {
      const times: number[] = [];
      for (let at = 0; at < SYNCS && !bench.stop.aborted; at++) {
        await files.write(file, BLOCK);
        const before = clock.monotonicMs();
        try {
          await files.fsync(file);
        } catch (error) {
          return fails(`it is refused: ${reasonOf(error)}`);
        }
        times.push(clock.monotonicMs() - before);
        // So that a signal can be heard on a slow disk.
        await sleep(clock, 0);
      }
      times.sort((a, b) => a - b);
      const medianMs = round(times[times.length >> 1] ?? 0);
      const slowestMs = round(times.at(-1) ?? 0);
      return holds(`confirmed in ${medianMs} ms (median of ${times.length}; slowest ${slowestMs} ms)`, {
        medianMs,
        slowestMs,
      });
    });
  },
};

export const syncNames: Probe = {
  name: 'sync-directory',
  title: 'sync of a directory',
  measure: async (bench) => {
    const { files, clock } = bench.machine;
    const path = await put(bench, 'named');
    const before = clock.monotonicMs();
    try {
      const answer = await syncDirectory(files, bench.directory, path);
      const tookMs = round(clock.monotonicMs() - before);
      if (answer === 'synced') return holds(`confirmed in ${tookMs} ms`, { tookMs });
      if (answer === 'unsupported') return fails('the file system has no such call');
      return unknown('our own directory may not be opened');
    } catch (error) {
      return fails(`it is refused: ${reasonOf((error as { cause?: unknown }).cause ?? error)}`);
    }
  },
};

const HUNDREDTHS = 100;

function round(ms: number): number {
  return Math.round(ms * HUNDREDTHS) / HUNDREDTHS;
}
