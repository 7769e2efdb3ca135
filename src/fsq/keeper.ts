/** A queue of fsq as a `Keeper`. What only some commands need is loaded when they ask for it. */

import { toMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { sizeOf } from '../os/if-there.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { explainJob } from '../queue/explain.ts';
import type {
  Explanation,
  JobContents,
  JobDetails,
  Keeper,
  KeeperOptions,
  OpenedPayload,
  Runs,
} from '../queue/keeper.ts';
import { plainPayload, runsOf } from '../queue/keeper-parts.ts';
import type { FoundJob, QueueSnapshot } from '../queue/snapshot.ts';
import { constantsFrom } from './constants.ts';
import { bringUp, takeDown } from './down.ts';
import { refuseDecoder } from './fsq.ts';
import { deconstruct, type Item } from './item-name.ts';
import { isDown, type Place, placeAt, requirePlace, roomsOf } from './place.ts';
import { outputsOf, readRuns } from './run-notes.ts';
import { everyJob, takeSnapshot } from './snapshot.ts';

/** Throws `not-a-queue`, but for what may be a damaged queue when that is asked for. */
export async function openFsqKeeper(
  machine: Machine,
  queue: string,
  { decoder, evenDamaged = false }: KeeperOptions = {},
): Promise<Keeper> {
  refuseDecoder(decoder);
  const constants = constantsFrom(machine.host.env());
  const place = placeAt(queue, constants);
  if (!evenDamaged) await requirePlace(machine, place);
  const itemOf = ({ name }: FoundJob): Item | undefined => {
    const item = deconstruct(name, constants, machine.clock);
    return item.kind === 'item' ? item : undefined;
  };
  return {
    location: queue,
    layout: 'fsq',
    jobDirectories: roomsOf(place),
    look: () => takeSnapshot(machine, place, constants),
    everyJob: (snapshot) => everyJob(machine, place, constants, snapshot),
    contents: async (job) => contentsOf(itemOf(job)),
    details: (job) => detailsOf(machine, job, itemOf(job)),
    explain: (snapshot, job) => explain(machine, place, snapshot, job),
    openPayload: (job) => openPayload(machine, job),
    runs: (job) => runsIn(machine, place, job),
    isPaused: () => isDown(machine, place),
    pause: async () => {
      await takeDown(machine, place, constants);
    },
    resume: () => bringUp(machine, place),
    whatRuns: async () => {
      const { running } = await takeSnapshot(machine, place, constants);
      return { jobs: running.length, abandoned: 0, alone: false };
    },
    operate: async () => (await import('./operation.ts')).operationOn(machine, place, constants),
    findGarbage: async (options) => {
      const { findGarbage } = await import('./garbage.ts');
      return findGarbage(machine, place, constants, { ...options, doneOfAnyAge: true });
    },
    removeGarbage: async (garbage) => (await import('./garbage.ts')).removeGarbage(machine, garbage),
    findDisorder: async () => (await import('./disorder.ts')).findDisorder(machine, place, constants),
  };
}

function contentsOf(item: Item | undefined): JobContents | undefined {
  return item && { work: { kind: 'command', params: item.args, env: [] }, seq: undefined };
}

async function detailsOf(machine: Machine, { path }: FoundJob, item: Item | undefined): Promise<JobDetails> {
  return {
    contents: contentsOf(item),
    lane: undefined,
    made: undefined,
    expiresMs: undefined,
    name: undefined,
    bytes: await sizeOf(machine, path),
    more: item === undefined ? [] : [['host', item.host] as const, ['process', item.pid] as const],
  };
}

async function explain(
  machine: Machine,
  place: Place,
  snapshot: QueueSnapshot,
  job: FoundJob,
): Promise<Explanation> {
  const lastRun = job.place === 'failed' ? (await readRuns(machine, place, job.id)).at(-1) : undefined;
  const explanation = explainJob(snapshot, job, { lastRun, nowMs: toMs(machine.clock.now()) });
  if (explanation.cause !== 'no-worker') return explanation;
  // Those that have nothing in hand are not seen.
  const sentence = 'Nothing of this queue runs now: it waits for a worker, or for `fsq scan`, to come by.';
  return { ...explanation, sentence };
}

async function openPayload({ files }: Machine, { path, place }: FoundJob): Promise<OpenedPayload> {
  const payload = await files.open(path, 'read-job');
  const { kind } = await files.fstat(payload);
  if (kind !== 'file' || place === 'unreadable') {
    await closeQuietly(files, payload);
    throw new QueueError('packet-damaged', `${path}: it is no item`);
  }
  return plainPayload(files, payload);
}

async function runsIn(machine: Machine, place: Place, job: FoundJob): Promise<Runs> {
  return runsOf(job, await readRuns(machine, place, job.id), (attempt) => outputsOf(place, job.id, attempt));
}
