/**
 * Changes that an operator makes. Whoever changes an item has its lock meanwhile, as a scanner has, so none starts it; a
 * note is enough to hold one.
 *
 * | change  | steps                                                | a crash after the first leaves      |
 * |---------|------------------------------------------------------|-------------------------------------|
 * | hold    | a note                                               | it is held                          |
 * | release | its note is removed                                  | it waits                            |
 * | retry   | renamed to queue/, as if never tried; notes removed  | notes of nobody, which `gc` removes |
 * | remove  | unlinked; notes and log removed                      | notes and log of nobody             |
 * | move    | into the other queue; removed from this one          | it is in both, and runs twice       |
 */

import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Operated, Operation } from '../queue/keeper.ts';
import { syncDirectory } from '../queue/publish.ts';
import { refuseSameQueue } from '../queue/same-queue.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import type { Constants } from './constants.ts';
import { repairAll } from './disorder.ts';
import { deconstruct } from './item-name.ts';
import { moveItem, removeItem } from './items.ts';
import { hold, NOTE_KINDS, removeNote } from './notes.ts';
import { type Place, placeAt, requirePlace } from './place.ts';
import { isKnown, reenqueue } from './reenqueue.ts';
import { removeRuns } from './run-notes.ts';
import { letGo, take } from './take.ts';

const DONE: Operated = { kind: 'done', lane: 'none' };
const UNCHANGED: Operated = { kind: 'unchanged' };
const GONE: Operated = { kind: 'gone' };

export function operationOn(machine: Machine, place: Place, constants: Constants): Operation {
  const changed = new Set<string>();
  return {
    hold: async (job) => {
      requireWaiting(job, 'hold');
      if (job.held) return UNCHANGED;
      return withWaiting(machine, place, job, async () => {
        await hold(machine, place, job.name);
        return DONE;
      });
    },
    release: async (job) => {
      requireWaiting(job, 'release');
      return (await removeNote(machine, place, 'held', job.name)) ? DONE : UNCHANGED;
    },
    retry: (job) => retry(machine, place, constants, job),
    remove: async (job) => {
      if (job.place === 'running') throw running(job);
      const { directory } = split(job.path);
      if (!(await removeItem(machine, directory, job.name))) return GONE;
      changed.add(directory);
      await forget(machine, place, job);
      return DONE;
    },
    move: async (job, target) => {
      const moved = await moveTo(machine, place, constants, job, target);
      if (moved.kind === 'done') changed.add(split(job.path).directory);
      return moved;
    },
    repair: (findings) => repairAll(machine, place, constants, findings),
    close: async () => {
      for (const directory of changed) await syncDirectory(machine.files, directory, directory);
    },
  };
}

async function retry(machine: Machine, place: Place, constants: Constants, job: FoundJob): Promise<Operated> {
  if (job.place === 'running') throw running(job);
  if (job.place === 'done') throw notPossible(job, 'it is done, so there is nothing to retry');
  const item = deconstruct(job.name, constants, machine.clock);
  if (item.kind === 'malformed') throw notPossible(job, `it is no item: ${item.message}`);
  if (job.place === 'waiting' && job.attempts === 0) {
    const wasHeld = await removeNote(machine, place, 'held', job.name);
    const waited = await removeNote(machine, place, 'until', job.name);
    await removeNote(machine, place, 'died', job.name);
    return wasHeld || waited ? DONE : UNCHANGED;
  }
  const room = job.place === 'failed' ? 'fail' : 'waiting';
  const moved = await moveItem(machine, place, job.name, [room], 'waiting', 0);
  if (moved.kind === 'busy') throw running(job);
  return moved.kind === 'gone' ? GONE : DONE;
}

async function moveTo(
  machine: Machine,
  place: Place,
  constants: Constants,
  job: FoundJob,
  path: string,
): Promise<Operated> {
  if (job.place === 'running') throw running(job);
  if (job.place === 'done') throw notPossible(job, 'it is done, so there is nothing to move');
  if (job.place === 'unreadable') throw notPossible(job, `it is no item: ${job.message}`);
  const target = placeAt(path, constants);
  await requirePlace(machine, target);
  await refuseSameQueue(machine, path, place.waiting, target.waiting);
  if (await isKnown(machine, target, job.name)) {
    throw notPossible(job, `there is, or was, an item of that name in ${path} already`);
  }
  return withItem(machine, job, async () => {
    await reenqueue(machine, job, [target], constants, 'copy');
    await machine.files.unlink(job.path);
    await forget(machine, place, job);
    return DONE;
  });
}

/** With its lock; `gone` when it is not there any more. Throws `job-running`. */
async function withItem(machine: Machine, job: FoundJob, work: () => Promise<Operated>): Promise<Operated> {
  const { directory, name } = split(job.path);
  const taken = await take(machine, directory, { name, kind: 'file' });
  if (taken.kind === 'gone') return GONE;
  if (taken.kind === 'busy') throw running(job);
  if (taken.kind === 'unreadable') throw notPossible(job, taken.message);
  try {
    return await work();
  } finally {
    await letGo(machine, taken);
  }
}

function withWaiting(
  machine: Machine,
  { waiting }: Place,
  job: FoundJob,
  work: () => Promise<Operated>,
): Promise<Operated> {
  return withItem(machine, { ...job, path: `${waiting}/${job.name}` }, work);
}

/** Nobody asks for its notes and its log any more. */
async function forget(machine: Machine, place: Place, { name, id, attempts }: FoundJob): Promise<void> {
  for (const kind of NOTE_KINDS) await removeNote(machine, place, kind, name);
  await removeRuns(machine, place, id, attempts + 1);
}

function requireWaiting(job: FoundJob, verb: string): asserts job is FoundJob & { place: 'waiting' } {
  if (job.place === 'running') throw running(job);
  if (job.place === 'unreadable') throw notPossible(job, `it is no item: ${job.message}`);
  if (job.place !== 'waiting') throw notPossible(job, `it does not wait, so there is nothing to ${verb}`);
}

function running({ path }: FoundJob): QueueError {
  return new QueueError('job-running', `${path}: it is running`);
}

function notPossible({ path }: FoundJob, why: string): QueueError {
  return new QueueError('not-possible', `${path}: ${why}`);
}

function split(path: string): { readonly directory: string; readonly name: string } {
  const at = path.lastIndexOf('/');
  return { directory: path.slice(0, at), name: path.slice(at + 1) };
}
