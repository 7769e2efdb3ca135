/**
 * A root of a simple-job-q as a `Queue`, as far as units of work carry it. The payload of a job is the header of its unit:
 * lines of `NAME :: CONTENT`; its variables are items too. To claim one is the Monitor's, for only its config knows what
 * a unit means.
 */

import { encodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import type { Added, AddOptions, Job, JobId, Listing, NewJob, Queue } from '../queue/contract.ts';
import { isQueueError, QueueError } from '../queue/errors.ts';
import { chunksOf } from '../queue/payload.ts';
import { watchDirectories } from '../queue/watch-directories.ts';
import { INCOMING, join, openRoot, QUEUES, type Root } from './root.ts';
import { submitUnit } from './submit.ts';
import { newSurveyor, type Waiting } from './survey.ts';
import { HEAD_LIMIT_BYTES } from './text.ts';
import { isThere } from './unit-files.ts';

/** As jobs of other layouts have it when nobody names one. */
const DEFAULT_PRIORITY = 50;

/** Throws `not-a-queue`. */
export async function openUowQueue(machine: Machine, location: string): Promise<Queue> {
  const root = await rootOf(machine, location);
  const notWorked = () =>
    Promise.reject(
      new QueueError(
        'not-possible',
        `${location}: only a Monitor runs units of work: intray monitor ${location}`,
      ),
    );
  return {
    location,
    add: (job, options) => addUnit(machine, root, job, options),
    addAll: async (jobs, options) => {
      const added: Added[] = [];
      for await (const job of jobs) added.push(await addUnit(machine, root, job, options));
      return added;
    },
    jobs: () => listUnits(machine, root),
    session: notWorked,
    join: notWorked,
    stirs: async () => (await listUnits(machine, root)).jobs.length > 0,
    watch: (onChange) => {
      const incoming = INCOMING.map((place) => root.places[place]);
      return watchDirectories(machine, incoming, onChange);
    },
  };
}

/** Throws `not-a-queue` for what is no root. */
export async function rootOf(machine: Machine, location: string): Promise<Root> {
  try {
    return (await openRoot(machine, location)).root;
  } catch (error) {
    if (!isQueueError(error, 'not-a-root')) throw error;
    throw new QueueError('not-a-queue', error.message, { cause: error });
  }
}

async function addUnit(
  machine: Machine,
  root: Root,
  job: NewJob,
  { durability = 'power-safe' }: AddOptions = {},
): Promise<Added> {
  refuseTerms(job);
  const { priority = DEFAULT_PRIORITY, env = {} } = job;
  const name = job.name ?? `job-${machine.random.uuid()}`;
  const id = name as JobId;
  if (job.name !== undefined && (await isKnown(machine, root, name))) {
    return { id, seq: undefined, duplicate: true };
  }
  const lines = [...Object.entries(env).map(([key, value]) => itemLine(key, value)), await textOf(job)];
  const place = priority < DEFAULT_PRIORITY ? 'priority-q' : 'wait-q';
  const bytes = encodeBytes(`==== UNIT OF WORK\n${lines.join('')}`);
  const path = await submitUnit(machine, root, { place, name, bytes, durability });
  return { id: path.slice(join(root.places[place], '').length) as JobId, seq: undefined, duplicate: false };
}

function refuseTerms({ params = [], lane, notBefore, expires, priority }: NewJob): void {
  const refuse = (what: string) => {
    throw new QueueError('not-possible', `a unit of work has no ${what}`);
  };
  if (params.length > 0) refuse('arguments, only named items');
  if (lane !== undefined) refuse('lane');
  if (notBefore !== undefined) refuse('time to start');
  if (expires !== undefined) refuse('time to expire');
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 99)) {
    throw new RangeError(`Expected \`priority\` to be a whole number from 0 to 99, got ${priority}`);
  }
}

function itemLine(name: string, content: string): string {
  if (/[\r\n\0]/.test(name + content) || name.includes('::')) {
    throw new QueueError('not-possible', `${JSON.stringify(name)} cannot be an item: it is not one line`);
  }
  return `${name} :: ${content}\n`;
}

async function textOf({ payload }: NewJob): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of chunksOf(payload)) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > HEAD_LIMIT_BYTES) {
      throw new QueueError('not-possible', 'the header of a unit of work is 1 MiB at most');
    }
  }
  return text;
}

async function isKnown({ files }: Machine, root: Root, name: string): Promise<boolean> {
  for (const place of QUEUES) if (await isThere(files, join(root.places[place], name))) return true;
  return false;
}

async function listUnits(machine: Machine, root: Root): Promise<Listing> {
  const { waiting, rubbish, troubles } = await newSurveyor(machine, root)(0);
  return {
    jobs: waiting.map(jobOf),
    unreadable: [...rubbish, ...troubles]
      .filter(({ place }) => (INCOMING as readonly string[]).includes(place))
      .map(({ place, name, reason }) => ({ path: join(root.places[place], name), message: reason })),
  };
}

function jobOf({ name, path, seen: { unit, file } }: Waiting): Job {
  const seconds = unit.stamp?.seconds ?? Math.floor(file.modifiedMs / 1000);
  return {
    id: name as JobId,
    seq: undefined,
    createdAt: { seconds: BigInt(seconds), nanos: 0 },
    work: { kind: 'command', params: [], env: [...unit.items] },
    path,
  };
}
