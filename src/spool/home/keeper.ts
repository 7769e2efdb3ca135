/** A Filespooler queue directory as a `Keeper`. What only some commands need is loaded when they ask for it. */

import { formatUtc, toMs } from '../../os/calendar.ts';
import { sizeOf } from '../../os/if-there.ts';
import type { Machine } from '../../os/ports.ts';
import type { PacketHeader } from '../../packet/header.ts';
import { QueueError } from '../../queue/errors.ts';
import { explainJob } from '../../queue/explain.ts';
import type {
  JobContents,
  JobDetails,
  Keeper,
  KeeperOptions,
  OpenedPayload,
  Runs,
} from '../../queue/keeper.ts';
import { runsOf } from '../../queue/keeper-parts.ts';
import type { FoundJob } from '../../queue/snapshot.ts';
import type { Terms } from '../../queue/terms.ts';
import { jobsDirectory, join } from '../layout.ts';
import { type Decoder, decoderFor, openPacket } from '../open-packet.ts';
import { headerReader, lookAt, requireQueue } from '../queue-files.ts';
import { isPaused, pause, resume } from './rooms.ts';
import { outputsOf, readRuns } from './run-log.ts';
import { Snapshots } from './seeing/snapshot.ts';
import { everyJob } from './seeing/snapshot-parts.ts';
import { whatRuns } from './seeing/what-runs.ts';
import { termsOf } from './terms.ts';

/** Throws `not-a-queue`, but for what may be a damaged queue when that is asked for. */
export async function openSpoolKeeper(
  machine: Machine,
  queue: string,
  { decoder: command, signal, evenDamaged = false }: KeeperOptions = {},
): Promise<Keeper> {
  if (!evenDamaged) await requireQueue(machine, queue);
  const decoder = command === undefined ? undefined : await decoderFor(machine, command, signal);
  const read = headerReader(machine, decoder);
  const snapshots = new Snapshots(machine, queue, { decoder });
  const headerOf = async (job: FoundJob): Promise<PacketHeader | undefined> => {
    if (job.place === 'unreadable') return undefined;
    const look = await lookAt(machine, job.path, 'file', read);
    return look.kind === 'job' ? look.header : undefined;
  };
  return {
    location: queue,
    layout: 'filespooler',
    jobDirectories: [jobsDirectory(queue)],
    look: () => snapshots.take(),
    everyJob: (snapshot) => everyJob(machine, snapshot),
    contents: async (job) => contentsOf(await headerOf(job)),
    details: async (job) => detailsOf(machine, job, await headerOf(job)),
    explain: async (snapshot, job) => {
      const header = job.place === 'waiting' ? await headerOf(job) : undefined;
      const lastRun = job.place === 'failed' ? (await readRuns(machine, queue, job.id)).at(-1) : undefined;
      const expiresMs = header === undefined ? undefined : termsOf(header).expiresMs;
      return explainJob(snapshot, job, { expiresMs, lastRun, nowMs: toMs(machine.clock.now()) });
    },
    openPayload: (job) => openPayload(machine, job, decoder),
    runs: (job) => runsIn(machine, queue, job),
    isPaused: () => isPaused(machine, queue),
    pause: () => pause(machine, queue),
    resume: () => resume(machine, queue),
    whatRuns: () => whatRuns(machine, queue),
    operate: async () => (await import('./operating/operation.ts')).operationOn(machine, queue, decoder),
    findGarbage: async (options) => (await import('./repairing/gc.ts')).findGarbage(machine, queue, options),
    removeGarbage: async (garbage) =>
      (await import('./repairing/gc.ts')).removeGarbage(machine, queue, garbage),
    findDisorder: async (seen) =>
      (await import('./repairing/repair.ts')).findDisorder(machine, queue, decoder, seen),
  };
}

function contentsOf(header: PacketHeader | undefined): JobContents | undefined {
  return header === undefined ? undefined : { work: header.work, seq: header.seq };
}

async function detailsOf(
  machine: Machine,
  { path }: FoundJob,
  header: PacketHeader | undefined,
): Promise<JobDetails> {
  const { lane, expiresMs, id }: Terms = header === undefined ? {} : termsOf(header);
  return {
    contents: contentsOf(header),
    lane,
    made: header === undefined ? undefined : formatUtc(header.ctime),
    expiresMs,
    name: id,
    bytes: await sizeOf(machine, path),
    more: [],
  };
}

async function openPayload(
  machine: Machine,
  { path }: FoundJob,
  decoder: Decoder | undefined,
): Promise<OpenedPayload> {
  const opened = await openPacket(machine, path, decoder);
  if (opened.kind === 'damaged') throw new QueueError('packet-damaged', `${path}: ${opened.message}`);
  return { payload: opened.payload, finish: opened.finish };
}

async function runsIn(machine: Machine, queue: string, job: FoundJob): Promise<Runs> {
  const records = await readRuns(machine, queue, job.id);
  const runs = runsOf(job, records, (attempt) => outputsOf(queue, job.id, attempt));
  // With --output-to SaveBoth the original, and our fspl, write it beside the job.
  const saved = `${join(jobsDirectory(queue), job.name)}.out`;
  return { ...runs, outputs: [...runs.outputs, { attempt: undefined, kind: 'both', path: saved }] };
}
