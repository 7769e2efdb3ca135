/** A root of a simple-job-q as a `Keeper`: what `intray ls`, `show`, `retry` and their like see of it, and do to it. */

import { formatUtc, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { explainJob } from '../queue/explain.ts';
import type { Explanation, Keeper, KeeperOptions, Operated, Operation, Runs } from '../queue/keeper.ts';
import { plainPayload } from '../queue/keeper-parts.ts';
import type { FoundJob, QueueSnapshot, RunRecord } from '../queue/snapshot.ts';
import { monitorOf } from './lock.ts';
import { moveFile } from './move.ts';
import { isPaused, pause, resume } from './pause.ts';
import { rootOf } from './queue.ts';
import { QUEUES, type Root } from './root.ts';
import { everyUnit, takeSnapshot } from './snapshot.ts';
import { statusKind } from './status.ts';
import { newSurveyor } from './survey.ts';
import { listQueue, type SeenUnit, seeUnit } from './unit-files.ts';

/** Throws `not-a-queue`. */
export async function openUowKeeper(
  machine: Machine,
  location: string,
  { decoder }: KeeperOptions = {},
): Promise<Keeper> {
  const root = await rootOf(machine, location);
  if (decoder !== undefined) {
    throw new QueueError('not-possible', `${location}: units of work are plain text, which needs no decoder`);
  }
  const unitOf = async ({ path }: FoundJob): Promise<SeenUnit | undefined> => {
    const seen = await seeUnit(machine, path);
    return seen.kind === 'unit' ? seen : undefined;
  };
  const contentsOf = (seen: SeenUnit | undefined) =>
    seen === undefined
      ? undefined
      : { work: { kind: 'command', params: [], env: [...seen.unit.items] } as const, seq: undefined };
  return {
    location,
    layout: 'uow',
    jobDirectories: QUEUES.map((place) => root.places[place]),
    look: () => takeSnapshot(machine, location, root),
    everyJob: (snapshot) => everyUnit(machine, root, snapshot),
    contents: async (job) => contentsOf(await unitOf(job)),
    details: async (job) => {
      const seen = await unitOf(job);
      const stamp = seen?.unit.stamp;
      return {
        contents: contentsOf(seen),
        lane: undefined,
        made: stamp === undefined ? undefined : formatUtc({ seconds: BigInt(stamp.seconds), nanos: 0 }),
        expiresMs: undefined,
        name: job.name,
        bytes: seen?.file.size,
        more: seen === undefined || seen.unit.status === '' ? [] : [['status', seen.unit.status]],
      };
    },
    explain: async (snapshot, job) => explain(machine, snapshot, job, await unitOf(job)),
    openPayload: async ({ path }) => {
      const payload = await machine.files.open(path, 'read-job');
      return plainPayload(machine.files, payload);
    },
    runs: async (job) => runsOf(job, await unitOf(job)),
    isPaused: () => isPaused(machine, root),
    pause: () => pause(machine, root),
    resume: () => resume(machine, root),
    whatRuns: async () => {
      const jobs = (await listQueue(machine, root.places['currently-executing'])).units.length;
      const isWorked = (await monitorOf(machine, root)) !== undefined;
      return { jobs: isWorked ? jobs : 0, abandoned: isWorked ? 0 : jobs, alone: false };
    },
    operate: async () => operationOn(machine, root),
    findGarbage: async () => [],
    removeGarbage: async () => [],
    findDisorder: async () => {
      const { troubles } = await newSurveyor(machine, root)(0);
      return troubles.map(({ place, name, reason }) => ({
        kind: 'misplaced',
        path: `${root.places[place]}/${name}`,
        message: reason,
        remedy: 'person',
        advice: 'move it elsewhere: mv PATH DIR/archive/',
      }));
    },
  };
}

function explain(
  machine: Machine,
  snapshot: QueueSnapshot,
  job: FoundJob,
  seen: SeenUnit | undefined,
): Explanation {
  const lastRun = seen === undefined ? undefined : recordOf(seen.unit.status);
  const found = explainJob(snapshot, job, { lastRun, nowMs: toMs(machine.clock.now()) });
  if (found.cause !== 'no-worker') return found;
  return {
    cause: 'no-worker',
    sentence: 'No Monitor works this root.',
    advice: 'start one with `intray monitor DIR`',
  };
}

/** The STATUS of a unit tells of its last run. */
function recordOf(status: string): RunRecord | undefined {
  const kind = statusKind(status);
  if (kind === 'waiting' || kind === 'running') return undefined;
  const [, reason = status, ended = ''] = /^\w+: (.*), (\S+Z)$/.exec(status) ?? [];
  const outcome = kind === 'done' ? 'succeeded' : 'failed';
  return { attempt: 1, outcome, worker: 'Monitor', ended, reason };
}

function runsOf(job: FoundJob, seen: SeenUnit | undefined): Runs {
  const record = seen === undefined ? undefined : recordOf(seen.unit.status);
  return {
    records: record === undefined ? [] : [record],
    running: job.place === 'running' ? 1 : undefined,
    outputs: [{ attempt: undefined, kind: 'both', path: job.path }],
  };
}

/** `remove` puts into the trash: nothing is ever deleted here. */
function operationOn(machine: Machine, root: Root): Operation {
  const moveTo = async ({ path, name }: FoundJob, directory: string): Promise<Operated> => {
    const from = { directory: path.slice(0, path.lastIndexOf('/')), name };
    const moved = await moveFile(machine, from, directory);
    return moved === undefined ? { kind: 'gone' } : { kind: 'done', lane: 'none' };
  };
  const refuseRunning = (job: FoundJob) => {
    if (job.place !== 'running') return;
    throw new QueueError('job-running', `${job.name}: it is running; KILL JOB ends it`);
  };
  return {
    retry: async (job) => {
      refuseRunning(job);
      if (job.place === 'waiting') return { kind: 'unchanged' };
      return moveTo(job, root.places['wait-q']);
    },
    remove: async (job) => {
      refuseRunning(job);
      return moveTo(job, root.places.trash);
    },
    repair: async (findings) => findings.map((finding) => ({ finding, result: 'left' })),
    close: async () => {},
  };
}
