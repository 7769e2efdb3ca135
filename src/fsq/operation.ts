/** An operator's changes to a queue. Whoever changes an item takes it first, as a scanner does: one that runs is refused. */

import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Operated, Operation } from '../queue/keeper.ts';
import { SharedSync } from '../queue/shared-sync.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import type { Constants } from './constants.ts';
import { moveItem, type Room, removeItem } from './items.ts';
import { hold, removeNote } from './notes.ts';
import { type Place, placeAt, requirePlace } from './place.ts';
import { reenqueue } from './reenqueue.ts';
import { refuseMalformed } from './refuse.ts';
import { removeRuns } from './run-notes.ts';

const DONE: Operated = { kind: 'done', lane: 'none' };
const UNCHANGED: Operated = { kind: 'unchanged' };
const GONE: Operated = { kind: 'gone' };

const ROOM_OF: Readonly<Record<FoundJob['place'], Room>> = {
  waiting: 'waiting',
  running: 'waiting',
  unreadable: 'waiting',
  failed: 'fail',
  done: 'done',
};

export function operationOn(machine: Machine, place: Place, constants: Constants): Operation {
  const sync = new SharedSync(machine.files);
  return {
    hold: async (job) => {
      waitingOnly(job, 'held');
      if (job.held) return UNCHANGED;
      await hold(machine, place, job.name);
      return DONE;
    },
    release: async (job) => {
      waitingOnly(job, 'released');
      return (await removeNote(machine, place, 'held', job.name)) ? DONE : UNCHANGED;
    },
    retry: async (job) => {
      notRunning(job);
      if (job.place === 'unreadable') throw notPossible(job, `it cannot be read: ${job.message}`);
      if (job.place === 'waiting' && job.standing.kind === 'ready' && job.attempts === 0) return UNCHANGED;
      const moved = await moveItem(machine, place, job.name, [ROOM_OF[job.place]], 'waiting', 0);
      if (moved.kind === 'busy') throw running(job);
      return moved.kind === 'gone' ? GONE : DONE;
    },
    remove: async (job) => {
      notRunning(job);
      if (!(await removeItem(machine, place[ROOM_OF[job.place]], job.name))) return GONE;
      for (const kind of ['held', 'until'] as const) await removeNote(machine, place, kind, job.name);
      await removeRuns(machine, place, job.id, job.attempts + 1);
      return DONE;
    },
    move: async (job, path) => {
      waitingOnly(job, 'moved');
      const target = placeAt(path, constants);
      await requirePlace(machine, target);
      const added = await reenqueue(machine, job, [target], constants, 'copy');
      if (added === 0) throw notPossible(job, `${path} has an item of that name`);
      return (await removeItem(machine, place.waiting, job.name)) ? DONE : GONE;
    },
    repair: async (findings) => {
      const repaired = [];
      for (const finding of findings) {
        const name = finding.path.slice(finding.path.lastIndexOf('/') + 1);
        const entry = { name, kind: 'file' as const };
        const mover = { machine, place, sync };
        const refused = await refuseMalformed(mover, entry, finding.message);
        repaired.push({
          finding,
          result: refused === undefined ? ('not-needed' as const) : ('done' as const),
        });
      }
      return repaired;
    },
    close: () => sync.close(),
  };
}

function waitingOnly(job: FoundJob, what: string): void {
  notRunning(job);
  if (job.place !== 'waiting') throw notPossible(job, `only a job that waits can be ${what}`);
}

function notRunning(job: FoundJob): void {
  if (job.place === 'running') throw running(job);
}

function running({ path }: FoundJob): QueueError {
  return new QueueError('job-running', `${path}: it is running`);
}

function notPossible({ path }: FoundJob, why: string): QueueError {
  return new QueueError('not-possible', `${path}: ${why}`);
}
