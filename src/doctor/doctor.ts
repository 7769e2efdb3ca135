/** Examines a directory: what its file system does, what is wrong if it is a queue, and what can be promised there. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { withBench } from './bench.ts';
import { isNetwork } from './file-systems.ts';
import { type Mount, mountOf } from './mount.ts';
import { notMeasured, type Outcome, type Probe, unknown } from './probe.ts';
import { PROBES } from './probes.ts';
import { type Assessment, assess, assessWorkers, type WorkersAssessment } from './promises.ts';
import { examineQueue, type QueueReport } from './queue.ts';

export type Examination = {
  readonly directory: string;
  readonly mount: Mount | undefined;
  /** Whether other hosts may reach the same files. */
  readonly network: boolean;
  /** Why nothing could be tried there, if so. */
  readonly hindrance: string | undefined;
  readonly probes: readonly Probed[];
  readonly promises: readonly Assessment[];
  /** What parallel workers may rely on, besides. */
  readonly workers: readonly WorkersAssessment[];
  /** Undefined when it is no queue. */
  readonly queue: QueueReport | undefined;
};

export type Probed = Pick<Probe, 'name' | 'title'> & Outcome;

export type ExamineOptions = {
  /** Aborted: ends after the probe that runs. */
  readonly stop: AbortSignal;
  /** For a queue whose job files are encoded: a shell command that unpacks each. */
  readonly decoder?: string | undefined;
  /** Told before each probe. */
  readonly onProbe?: (probe: Probe, at: number, of: number) => Promise<void>;
};

/** Throws when there is no directory at that path, or a bench that was made cannot be removed. */
export async function examine(
  machine: Machine,
  directory: string,
  options: ExamineOptions,
): Promise<Examination> {
  const { files, clock } = machine;
  if ((await files.stat(directory)).kind !== 'directory') {
    throw new QueueError('not-a-queue', `${directory}: it is not a directory`);
  }
  const mount = await mountOf(files, directory);
  let hindrance: string | undefined;
  let probes: Probed[];
  const begun: { done: boolean } = { done: false };
  try {
    probes = await withBench(machine, directory, options.stop, async (bench) => {
      begun.done = true;
      const found: Probed[] = [];
      for (const [at, probe] of PROBES.entries()) {
        if (options.stop.aborted) break;
        await options.onProbe?.(probe, at + 1, PROBES.length);
        found.push({ name: probe.name, title: probe.title, ...(await tried(probe, bench)) });
      }
      return found;
    });
  } catch (error) {
    if (begun.done) throw error;
    hindrance = reasonOf(error);
    probes = PROBES.map(({ name, title }) => ({ name, title, ...unknown('nothing could be tried here') }));
  }
  const skewMs = probes.find(({ name }) => name === 'clock-skew')?.numbers?.skewMs ?? 0;
  const nowMs = toMs(clock.now()) + skewMs;
  const queue = await examineQueue(machine, directory, nowMs, {
    decoder: options.decoder,
    signal: options.stop,
  });
  const network = isNetwork(mount?.type);
  const outcomes = new Map<string, Outcome>(probes.map((probe) => [probe.name, probe]));
  const promises = assess(outcomes);
  const workers = assessWorkers(outcomes, network);
  return { directory, mount, network, hindrance, probes, promises, workers, queue };
}

async function tried(probe: Probe, bench: Parameters<Probe['measure']>[0]): Promise<Outcome> {
  try {
    return await probe.measure(bench);
  } catch (error) {
    return notMeasured(error);
  }
}
