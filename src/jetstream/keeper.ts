/** A queue on JetStream as a `Keeper`. What only some commands need is loaded when they ask for it. */

import { formatMs, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { sequence } from '../packet/header.ts';
import type { OutputFile } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { explainJob } from '../queue/explain.ts';
import type { JobContents, JobDetails, Keeper, KeeperOptions, OpenedPayload, Runs } from '../queue/keeper.ts';
import { plainPayload } from '../queue/keeper-parts.ts';
import type { FoundJob } from '../queue/snapshot.ts';
import { requireStream } from './client.ts';
import { refuseDecoder } from './jetstream.ts';
import { Link } from './link.ts';
import { parseLocation } from './location.ts';
import { Log } from './log.ts';
import { fetchPayload } from './payload.ts';
import type { Entry } from './picture.ts';
import { outputOf } from './said.ts';
import { everyJob, snapshotOf } from './snapshot.ts';
import { isPausedRecord, type PausedRecord, parseRecord, Subjects } from './subjects.ts';
import type { Wire } from './wire.ts';

/** Throws `not-a-queue` and `not-reachable`. */
export async function openJetStreamKeeper(
  machine: Machine,
  text: string,
  { decoder }: KeeperOptions = {},
): Promise<Keeper> {
  refuseDecoder(decoder);
  const location = parseLocation(text);
  const link = new Link(machine, location);
  const subjects = new Subjects(location.name);
  await link.use((connection) => requireStream(connection, location));
  /** What was seen when the queue was last looked at: what jobs bring does not change. */
  let seen: ReadonlyMap<string, Entry> = new Map();
  const look = () =>
    Log.look(machine, link, async (log) => {
      seen = new Map(log.picture.entries);
      return snapshotOf(machine, log, await log.wire.facts());
    });
  const isPaused = () => link.use(({ wire }) => readPaused(wire, subjects));
  const setPaused = (paused: boolean) =>
    link.use(({ wire }) => wire.put(subjects.paused, JSON.stringify({ paused })));
  return {
    location: text,
    layout: 'jetstream',
    jobDirectories: [],
    look,
    everyJob: async (snapshot) => everyJob(snapshot, text, [...seen.values()]),
    contents: async (job) => contentsOf(seen.get(job.id)),
    details: async (job) => detailsOf(seen.get(job.id)),
    explain: async (snapshot, job) => {
      const entry = seen.get(job.id);
      const known = { expiresMs: entry?.job.expiresMs, lastRun: entry?.state.runs.at(-1) };
      return explainJob(snapshot, job, { ...known, nowMs: toMs(machine.clock.now()) });
    },
    openPayload: (job) => link.use(({ wire }) => openPayload(machine, wire, job, seen.get(job.id))),
    runs: (job) => link.use(({ wire }) => runsOf(wire, job, seen.get(job.id))),
    isPaused,
    pause: async () => {
      if (!(await isPaused())) await setPaused(true);
    },
    resume: async () => {
      const was = await isPaused();
      if (was) await setPaused(false);
      return was;
    },
    whatRuns: async () => {
      const { running } = await look();
      const abandoned = running.filter(({ worker }) => worker.life !== 'alive').length;
      return { jobs: running.length - abandoned, abandoned, alone: false };
    },
    operate: async () => (await import('./operation.ts')).operationOn(machine, link),
    findGarbage: async (options) => (await import('./garbage.ts')).findGarbage(machine, link, options),
    removeGarbage: async (garbage) => (await import('./garbage.ts')).removeGarbage(machine, link, garbage),
    findDisorder: async () => (await import('./disorder.ts')).findDisorder(machine, link),
  };
}

async function readPaused(wire: Wire, subjects: Subjects): Promise<boolean> {
  const message = await wire.last(subjects.paused);
  return parseRecord<PausedRecord>(message?.record ?? '', isPausedRecord)?.paused ?? false;
}

function contentsOf(entry: Entry | undefined): JobContents | undefined {
  if (entry === undefined) return undefined;
  const { params, env } = entry.job;
  return { work: { kind: 'command', params, env }, seq: sequence(entry.seq) };
}

function detailsOf(entry: Entry | undefined): JobDetails {
  return {
    contents: contentsOf(entry),
    lane: entry?.job.lane,
    made: entry && formatMs(entry.job.madeMs),
    expiresMs: entry?.job.expiresMs,
    name: entry?.job.name,
    bytes: entry?.bytes,
    more: entry?.job.payload === undefined ? [] : [['payload', 'beside the stream, in pieces']],
  };
}

async function openPayload(
  machine: Machine,
  wire: Wire,
  { path }: FoundJob,
  entry: Entry | undefined,
): Promise<OpenedPayload> {
  if (entry === undefined) throw new QueueError('packet-damaged', `${path}: it is no job`);
  const payload = await fetchPayload(machine, wire, entry);
  if (payload === undefined) throw new QueueError('job-not-found', `${path}: it has gone meanwhile`);
  return plainPayload(machine.files, payload);
}

async function runsOf(wire: Wire, job: FoundJob, entry: Entry | undefined): Promise<Runs> {
  const outputs: OutputFile[] = [];
  for (const { seq, attempt, stream } of entry?.said ?? []) {
    const body = (await wire.read(seq))?.body;
    if (body !== undefined) outputs.push(outputOf(job.path, attempt, stream, body));
  }
  return {
    records: entry?.state.runs ?? [],
    running: job.place === 'running' ? job.attempts : undefined,
    outputs,
  };
}
