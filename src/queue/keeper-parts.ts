/** What the keepers of several layouts answer in the same way. */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Files } from '../os/ports.ts';
import type { OutputFile } from './contract.ts';
import type { OpenedPayload, Runs, WhatRuns } from './keeper.ts';
import type { FoundJob, RunRecord, SeenWorker } from './snapshot.ts';

/** A payload that nothing unpacks, so that it can be trusted as it is. */
export function plainPayload(files: Files, payload: Descriptor): OpenedPayload {
  return {
    payload,
    finish: async () => {
      await closeQuietly(files, payload);
      return undefined;
    },
  };
}

/** `outputsOf`: where that start writes. It is asked for those on record, and for the one that goes on. */
export function runsOf(
  job: FoundJob,
  records: readonly RunRecord[],
  outputsOf: (attempt: number) => readonly OutputFile[],
): Runs {
  const running = job.place === 'running' ? job.attempts : undefined;
  const attempts = new Set(records.map(({ attempt }) => attempt));
  if (running !== undefined) attempts.add(running);
  return { records, running, outputs: [...attempts].flatMap(outputsOf) };
}

/** How many jobs are in the hands of workers that live, and of others. */
export function inHand(workers: Iterable<SeenWorker>): Pick<WhatRuns, 'jobs' | 'abandoned'> {
  let jobs = 0;
  let abandoned = 0;
  for (const worker of workers) {
    if (worker.life === 'dead' || worker.life === 'silent') abandoned += worker.jobs;
    else jobs += worker.jobs;
  }
  return { jobs, abandoned };
}
