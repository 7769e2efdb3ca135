/** Queues of every layout to move jobs between, and what comes of it. */

import { createDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { createFsq } from '../../src/fsq/fsq.ts';
import { openQueue } from '../../src/open/open.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readChunks } from '../../src/os/transfer.ts';
import type { Job, Queue, Unreadable } from '../../src/queue/contract.ts';
import { localTarget, openLocal } from '../../src/relay/local-target.ts';
import { newPace } from '../../src/relay/pace.ts';
import { type RelayOptions, type RelayReport, relayJobs } from '../../src/relay/relay.ts';
import type { Delivered, Target } from '../../src/relay/target.ts';
import { homeQueue, joined } from '../support/home.ts';

export const MAKERS: Readonly<Record<string, (path: string) => Promise<Queue>>> = {
  filespooler: (path) => homeQueue(path),
  dirqueue: (path) => createDirQueue(realMachine, path),
  fsq: (path) => createFsq(realMachine, path),
};

/** What a relay has told. */
export type Told = {
  readonly moved: (Delivered & { readonly job: Job; readonly bytes: number })[];
  readonly refused: string[];
  readonly troubles: unknown[];
  readonly unreadable: Unreadable[];
};

export type Tried = Partial<Omit<RelayOptions, 'listener'>> & { readonly machine?: Machine };

export async function relayTo(
  source: Queue,
  target: Target,
  { machine = realMachine, ...options }: Tried = {},
): Promise<RelayReport & { readonly told: Told }> {
  const told: Told = { moved: [], refused: [], troubles: [], unreadable: [] };
  const opened = await openQueue(machine, source.location);
  const report = await relayJobs(machine, opened, target, {
    keepWaiting: false,
    graceMs: 0,
    stop: new AbortController().signal,
    ...options,
    listener: {
      moved: (job, moved) => told.moved.push({ job, ...moved }),
      progressed: () => {},
      refused: (_, reason) => told.refused.push(reason),
      targetTrouble: (error) => told.troubles.push(error),
      sourceTrouble: async (_, error) => {
        told.troubles.push(error);
      },
      unreadable: (_, files) => told.unreadable.push(...files),
    },
  });
  return { ...report, told };
}

export async function targetAt(
  { location }: Queue,
  options: { readonly maxWaiting?: number; readonly onFull?: () => void; readonly machine?: Machine } = {},
): Promise<Target> {
  const { machine = realMachine, ...rest } = options;
  return localTarget(machine, await openLocal(machine, location), { pace: newPace(machine.clock), ...rest });
}

export async function waitingAt(queue: Queue): Promise<Job[]> {
  return [...(await queue.jobs()).jobs];
}

/** The first param and the payload of each job that can be run, in the order in which they run. */
export async function drained(queue: Queue): Promise<{ readonly param: string; readonly payload: string }[]> {
  const found: { param: string; payload: string }[] = [];
  const session = await queue.join();
  try {
    for (;;) {
      const claim = await session.claim();
      if (claim.kind !== 'claim') return found;
      const chunks: Uint8Array[] = [];
      for await (const chunk of readChunks(realMachine.files, claim.payload)) chunks.push(chunk);
      const { work } = claim.job;
      const param = work.kind === 'command' ? (work.params[0] ?? '') : work.kind;
      found.push({ param, payload: Buffer.concat(chunks).toString() });
      await claim.succeed();
    }
  } finally {
    await session.close();
  }
}

export { homeQueue, joined };
