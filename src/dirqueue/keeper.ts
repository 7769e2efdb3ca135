/** A queue directory of IPC::DirQueue as a `Keeper`. What only some commands need is loaded when they ask for it. */

import { formatUtc, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { explainJob } from '../queue/explain.ts';
import type { JobDetails, Keeper, KeeperOptions, OpenedPayload, Runs } from '../queue/keeper.ts';
import { inHand, plainPayload, runsOf } from '../queue/keeper-parts.ts';
import { outputsOf, readRuns } from '../queue/run-log.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import { type Control, fromMetadata } from './control-file.ts';
import { DataFiles, dataPath, placeIn } from './data-file.ts';
import { isPaused, ORIGINAL_ROOMS, ownRoom, pause, requireQueue, resume, room } from './layout.ts';
import { listLocks } from './locks.ts';
import { everyJob, seeWorkers, takeSnapshot } from './snapshot.ts';
import { readControl } from './take.ts';

/** Throws `not-a-queue`, but for what may be a damaged queue when that is asked for. */
export async function openDirQueueKeeper(
  machine: Machine,
  queue: string,
  { decoder, evenDamaged = false }: KeeperOptions = {},
): Promise<Keeper> {
  if (!evenDamaged) await requireQueue(machine, queue);
  if (decoder !== undefined) {
    throw new QueueError('not-possible', `${queue}: its jobs are plain text, which needs no decoder`);
  }
  const controlOf = async ({ path }: FoundJob): Promise<Control | undefined> => {
    const control = await readControl(machine, path);
    return control === undefined || 'damage' in control ? undefined : control;
  };
  const contentsIn = (control: Control | undefined) =>
    control === undefined ? undefined : { work: fromMetadata(control.metadata).work, seq: undefined };
  return {
    location: queue,
    layout: 'dirqueue',
    jobDirectories: ORIGINAL_ROOMS.map((name) => room(queue, name)),
    look: () => takeSnapshot(machine, queue),
    everyJob: (snapshot) => everyJob(machine, snapshot),
    contents: async (job) => contentsIn(await controlOf(job)),
    details: async (job) => {
      const control = await controlOf(job);
      return detailsOf(queue, control, contentsIn(control));
    },
    explain: async (snapshot, job) => {
      const control = job.place === 'waiting' ? await controlOf(job) : undefined;
      const lastRun =
        job.place === 'failed' ? (await readRuns(machine, ownRoom(queue, 'log'), job.id)).at(-1) : undefined;
      const expiresMs = control === undefined ? undefined : fromMetadata(control.metadata).expiresMs;
      return explainJob(snapshot, job, { expiresMs, lastRun, nowMs: toMs(machine.clock.now()) });
    },
    openPayload: async (job) => openPayload(machine, queue, job, await readControl(machine, job.path)),
    runs: (job) => runsIn(machine, queue, job),
    isPaused: () => isPaused(machine, queue),
    pause: () => pause(machine, queue),
    resume: () => resume(machine, queue),
    whatRuns: async () => {
      const workers = await seeWorkers(machine, queue, await listLocks(machine, queue));
      return { ...inHand(workers.values()), alone: false };
    },
    operate: async () => (await import('./operation.ts')).operationOn(machine, queue),
    findGarbage: async (options) => (await import('./upkeep.ts')).findGarbage(machine, queue, options),
    removeGarbage: async (garbage) => (await import('./upkeep.ts')).removeGarbage(machine, queue, garbage),
    findDisorder: async () => (await import('./upkeep.ts')).findDisorder(machine, queue),
  };
}

function detailsOf(
  queue: string,
  control: Control | undefined,
  contents: JobDetails['contents'],
): JobDetails {
  const common = { contents, lane: undefined };
  if (control === undefined) {
    return {
      ...common,
      name: undefined,
      made: undefined,
      expiresMs: undefined,
      bytes: undefined,
      more: [],
    };
  }
  const { submitted, host, size, dataFile, metadata } = control;
  const place = placeIn(dataFile);
  const { expiresMs, name } = fromMetadata(metadata);
  return {
    ...common,
    name,
    made: submitted === undefined ? undefined : formatUtc(submitted),
    expiresMs,
    bytes: size,
    more: [
      ...(host === undefined ? [] : [['host', host] as const]),
      ...(place === undefined ? [] : [['data', dataPath(queue, place)] as const]),
    ],
  };
}

async function openPayload(
  machine: Machine,
  queue: string,
  { path }: FoundJob,
  control: Control | { readonly damage: string } | undefined,
): Promise<OpenedPayload> {
  const damaged = (message: string) => new QueueError('packet-damaged', `${path}: ${message}`);
  if (control === undefined) throw new QueueError('job-not-found', `${path}: it is not there any more`);
  if ('damage' in control) throw damaged(control.damage);
  const found = await new DataFiles(machine, queue).open(control);
  if (found.kind !== 'data') throw damaged(found.message);
  return plainPayload(machine.files, found.data);
}

async function runsIn(machine: Machine, queue: string, job: FoundJob): Promise<Runs> {
  const log = ownRoom(queue, 'log');
  return runsOf(job, await readRuns(machine, log, job.id), (attempt) => outputsOf(log, job.id, attempt));
}
