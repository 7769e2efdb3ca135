/** What the tests of keepers stand on: a queue, its keeper, and jobs in the states that there are. */

import { expect } from 'vitest';
import { decodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import { readExactly, readSmallFile } from '../../src/os/transfer.ts';
import type { JoinOptions, Queue, SharedClaim, SharedSession } from '../../src/queue/contract.ts';
import type { Keeper, Operation } from '../../src/queue/keeper.ts';
import type { FoundJob, LayoutName } from '../../src/queue/snapshot.ts';
import type { Lacks } from './ground.ts';

/** A new, empty queue whose jobs may run in any order. */
export type KeeperGround = {
  readonly layout: LayoutName;
  readonly machine: Machine;
  readonly queue: Queue;
  readonly keeper: Keeper;
  /** All that the queue has, where that is not files. */
  readonly everything?: () => Promise<string[]>;
};

export type KeeperCapabilities = {
  /** Jobs bring arguments. */
  readonly params: true | Lacks;
  readonly lanes: true | Lacks;
  readonly notBefore: true | Lacks;
  readonly hold: true | Lacks;
  readonly pause: true | Lacks;
  /** Starts are counted. */
  readonly attempts: true | Lacks;
  /** Jobs that are done may be kept. */
  readonly done: true | Lacks;
  /** It is on record how runs ended, and what they have said. */
  readonly runs: true | Lacks;
  /** What a run says can be read while it runs. */
  readonly saidAtOnce: true | Lacks;
  /** Makes another queue of the layout, for jobs to be moved to, and opens its keeper. */
  readonly move: (() => Promise<Keeper>) | Lacks;
  /** Takes a waiting job of a lane away as a disk would. */
  readonly gaps: ((queue: Queue, job: FoundJob) => Promise<void>) | Lacks;
  /** Puts something into the queue that looks like a job and cannot be read. */
  readonly spoil: ((queue: Queue) => Promise<void>) | Lacks;
  /** A look sees that it cannot be read; `findDisorder` does always. */
  readonly spoiledSeen: true | Lacks;
};

/** Looks anew, and finds the job wherever it is now. */
export async function find({ keeper }: KeeperGround, id: string): Promise<FoundJob> {
  const found = (await keeper.everyJob(await keeper.look())).find((job) => job.id === id);
  if (found === undefined) throw new Error(`there is no job ${id}`);
  return found;
}

/** Where it is, and of one that waits how it stands. */
export async function stateOf(ground: KeeperGround, id: string): Promise<string> {
  const { keeper } = ground;
  const job = (await keeper.everyJob(await keeper.look())).find((one) => one.id === id);
  if (job === undefined) return 'nowhere';
  return job.place === 'waiting' ? job.standing.kind : job.place;
}

export async function operating<T>(
  { keeper }: KeeperGround,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const operation = await keeper.operate();
  try {
    return await work(operation);
  } finally {
    await operation.close();
  }
}

export async function inSession<T>(
  { queue }: KeeperGround,
  work: (session: SharedSession) => Promise<T>,
  options: JoinOptions = {},
): Promise<T> {
  const session = await queue.join(options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export async function claimed(session: SharedSession): Promise<SharedClaim> {
  const answer = await session.claim();
  if (answer.kind !== 'claim') throw new Error(`nothing to claim: ${answer.reason}`);
  return answer;
}

/** The ids of all that may run, in their order; they have succeeded then. */
export async function runAll(ground: KeeperGround, options: JoinOptions = {}): Promise<string[]> {
  return inSession(
    ground,
    async (session) => {
      const ids: string[] = [];
      for (let answer = await session.claim(); answer.kind === 'claim'; answer = await session.claim()) {
        ids.push(answer.job.id);
        await answer.succeed();
      }
      return ids;
    },
    options,
  );
}

/** Adds a job, and lets it fail for good. */
export async function failOne(ground: KeeperGround, reason: string): Promise<string> {
  const { id } = await ground.queue.add({ payload: 'it fails' });
  await inSession(ground, async (session) => {
    const claim = await claimed(session);
    expect(claim.job.id).toBe(id);
    await claim.fail(reason);
  });
  return id;
}

export async function payloadOf({ keeper, machine }: KeeperGround, job: FoundJob): Promise<string> {
  const { payload, finish } = await keeper.openPayload(job);
  const text = decodeBytes(await readExactly(machine.files, payload, 1000));
  expect(await finish()).toBeUndefined();
  return text;
}

export async function textOf({ machine }: KeeperGround, path: string): Promise<string> {
  return decodeBytes(await readSmallFile(machine.files, path, 10_000));
}

/** What looking must leave as it was. */
export async function everythingOf({ machine, queue, everything }: KeeperGround): Promise<string[]> {
  return everything === undefined ? everythingIn(machine, queue.location) : everything();
}

/** Every name below a directory, with when it was changed. */
async function everythingIn(machine: Machine, directory: string): Promise<string[]> {
  const all: string[] = [];
  for (const { name, kind } of await machine.files.readdir(directory)) {
    const path = `${directory}/${name}`;
    const { changedMs, mode, size } = await machine.files.stat(path);
    all.push(`${path} ${mode} ${kind === 'directory' ? '' : size} ${changedMs}`);
    if (kind === 'directory') all.push(...(await everythingIn(machine, path)));
  }
  return all.sort();
}
