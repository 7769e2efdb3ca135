/** The clock by which files get their times: the disk's owner has it, which over a network is another host. */

import type { Timestamp } from '../../os/ports.ts';
import { sleep } from '../../os/sleep.ts';
import { put } from '../bench.ts';
import { fails, holds, type Probe } from '../probe.ts';

/** Distances between hosts' clocks and steps of time that nobody needs to know of. */
const SKEW_LIMIT_MS = 1000;
const STEP_LIMIT_MS = 1000;
/** The coarsest known is 2 s (FAT). */
const PATIENCE_MS = 4500;
const CHANGES = 3;
/** Linux stamps files with the time of its last tick, 10 ms ago at most. */
const TICK_MS = 10;

export const clockSkew: Probe = {
  name: 'clock-skew',
  title: "clock of the file system against this host's",
  measure: async (bench) => {
    const { files, clock } = bench.machine;
    const path = await put(bench, 'skew', 'x');
    const before = milliseconds(clock.now());
    await files.touch(path);
    const after = milliseconds(clock.now());
    const { modifiedMs } = await files.stat(path);
    const skewMs = Math.round(
      modifiedMs > after ? modifiedMs - after : modifiedMs < before - TICK_MS ? modifiedMs - before : 0,
    );
    const numbers = { skewMs };
    if (skewMs === 0) return holds('the same', numbers);
    const seen = `${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead' : 'behind'}`;
    return Math.abs(skewMs) > SKEW_LIMIT_MS ? fails(seen, numbers) : holds(seen, numbers);
  },
};

export const timeSteps: Probe = {
  name: 'time-steps',
  title: 'steps of file times',
  measure: async (bench) => {
    const { files, clock } = bench.machine;
    const path = await put(bench, 'steps', 'x');
    const deadline = clock.monotonicMs() + PATIENCE_MS;
    const seen: number[] = [];
    while (seen.length <= CHANGES && clock.monotonicMs() < deadline && !bench.stop.aborted) {
      await files.touch(path);
      const { modifiedMs } = await files.stat(path);
      if (modifiedMs !== seen.at(-1)) seen.push(modifiedMs);
      await sleep(clock, 1);
    }
    // From the second on each was seen at its beginning.
    const steps = seen.slice(1).map((time, at) => Math.abs(time - (seen[at] ?? 0)));
    if (steps.length === 0) return fails('they do not change');
    const stepMs = Math.min(...steps);
    const numbers = { stepMs };
    return stepMs > STEP_LIMIT_MS ? fails(`${stepMs} ms`, numbers) : holds(`${stepMs} ms or less`, numbers);
  },
};

function milliseconds({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1_000_000;
}
