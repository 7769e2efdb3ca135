/** A queue of fsq as a `Keeper`: what operators see of it and do to it. */

import { formatMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { explainJob } from '../queue/explain.ts';
import type {
  Finding,
  JobContents,
  JobDetails,
  Keeper,
  KeeperOptions,
  OpenedPayload,
  Runs,
  WhatRuns,
} from '../queue/keeper.ts';
import type { FoundJob, QueueSnapshot } from '../queue/snapshot.ts';
import { type Constants, constantsFrom } from './constants.ts';
import { bringUp, takeDown } from './down.ts';
import { refuseDecoder } from './fsq.ts';
import { findGarbage, removeGarbage } from './garbage.ts';
import { operationOn } from './operation.ts';
import { isDown, type Place, placeAt, requirePlace } from './place.ts';
import { nowMs, outputsOf, readRuns } from './run-notes.ts';
import { nameless, seenByName, stored, takeSnapshot } from './snapshot.ts';

/** Throws `not-a-queue`, but for what may be a damaged queue when that is asked for. */
export async function openFsqKeeper(
  machine: Machine,
  location: string,
  { decoder, evenDamaged = false }: KeeperOptions = {},
  constants: Constants = constantsFrom(machine.host.env()),
): Promise<Keeper> {
  refuseDecoder(decoder);
  const place = placeAt(location, constants);
  if (!evenDamaged) await requirePlace(machine, place);
  const look = () => takeSnapshot(machine, place, constants);
  const lastRun = async (job: FoundJob) =>
    job.place === 'failed' ? (await readRuns(machine, place, job.id)).at(-1) : undefined;
  return {
    location,
    layout: 'fsq',
    jobDirectories: [place.waiting, place.tmp, place.done, place.fail],
    look,
    everyJob: async (snapshot) => [
      ...snapshot.waiting,
      ...snapshot.running,
      ...snapshot.failed,
      ...(await stored(machine, place, constants, 'done')),
      ...unreadableJobs(snapshot),
    ],
    contents: async (job) => contentsOf(machine, constants, job),
    details: (job) => detailsOf(machine, constants, job),
    explain: async (snapshot, job) => {
      const expiresMs = expiryOf(machine, constants, job);
      return explainJob(snapshot, job, { expiresMs, lastRun: await lastRun(job), nowMs: nowMs(machine) });
    },
    openPayload: (job) => openPayload(machine, job),
    runs: (job) => runsOf(machine, place, job),
    isPaused: () => isDown(machine, place),
    pause: async () => {
      await takeDown(machine, place, constants);
    },
    resume: () => bringUp(machine, place),
    whatRuns: async () => whatRuns(await look()),
    operate: async () => operationOn(machine, place, constants),
    findGarbage: (options) => findGarbage(machine, place, constants, options),
    removeGarbage: (garbage) => removeGarbage(machine, garbage),
    findDisorder: async (seen) => {
      if (seen === undefined) await requirePlace(machine, place);
      return disorderIn(seen ?? (await look()));
    },
  };
}

function unreadableJobs({ unreadable }: QueueSnapshot): FoundJob[] {
  return unreadable.map(({ path, message }) => {
    const slash = path.lastIndexOf('/');
    return { ...nameless(path.slice(slash + 1), path.slice(0, slash)), place: 'unreadable', message };
  });
}

function contentsOf(machine: Machine, constants: Constants, { name }: FoundJob): JobContents | undefined {
  const item = seenByName(machine, constants, name);
  return item === undefined
    ? undefined
    : { work: { kind: 'command', params: item.args, env: [] }, seq: undefined };
}

async function detailsOf(machine: Machine, constants: Constants, job: FoundJob): Promise<JobDetails> {
  const item = seenByName(machine, constants, job.name);
  return {
    contents: contentsOf(machine, constants, job),
    lane: undefined,
    made: item === undefined ? undefined : formatMs(item.enqueuedMs),
    expiresMs: expiryOf(machine, constants, job),
    name: undefined,
    bytes: await sizeOf(machine, job.path),
    more:
      item === undefined
        ? []
        : [
            ['added on', item.host],
            ['by process', item.pid],
          ],
  };
}

function expiryOf(machine: Machine, constants: Constants, { name }: FoundJob): number | undefined {
  const item = seenByName(machine, constants, name);
  return item === undefined || constants.ttl === 0 ? undefined : item.enqueuedMs + constants.ttl * 1000;
}

async function sizeOf({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'ELOOP')) return undefined;
    throw error;
  }
}

async function openPayload({ files }: Machine, { path }: FoundJob): Promise<OpenedPayload> {
  try {
    const payload = await files.open(path, 'read-job');
    return {
      payload,
      finish: async () => {
        await closeQuietly(files, payload);
        return undefined;
      },
    };
  } catch (error) {
    throw new QueueError('job-not-found', `${path}: ${reasonOf(error)}`, { cause: error });
  }
}

async function runsOf(machine: Machine, place: Place, job: FoundJob): Promise<Runs> {
  const records = await readRuns(machine, place, job.id);
  const running = job.place === 'running' ? job.attempts : undefined;
  const attempts = new Set(records.map(({ attempt }) => attempt));
  if (running !== undefined) attempts.add(running);
  return { records, running, outputs: [...attempts].flatMap((attempt) => outputsOf(place, job.id, attempt)) };
}

/** The lock of a worker that has died is its command's: the item comes back when that ends. */
function whatRuns({ running }: QueueSnapshot): WhatRuns {
  const abandoned = running.filter(({ worker }) => worker.life === 'dead').length;
  return { jobs: running.length - abandoned, abandoned, alone: false };
}

function disorderIn({ unreadable }: QueueSnapshot): Finding[] {
  return unreadable.map(({ path, message }) => ({
    kind: 'unreadable',
    path,
    message,
    remedy: 'fail',
    words: ['move it to fail/', 'moved to fail/'],
    severity: 'note',
  }));
}
