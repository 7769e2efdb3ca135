/**
 * The same directory, worked by several at once: free jobs beside each other, jobs of a lane one after the other.
 *
 * Labels: `red/...` is in the lane red, `later` may start in half a second, and `expired` never; for the others see
 * sharing.ts.
 */

import { encodeBytes } from '../../src/os/bytes.ts';
import { toMs } from '../../src/os/calendar.ts';
import type { Machine } from '../../src/os/ports.ts';
import type { Job, NewJob } from '../../src/queue/contract.ts';
import { termsIn } from '../../src/queue/terms.ts';
import { formatJobName, parseJobName } from '../../src/spool/home/job-name.ts';
import { makeRooms, pause, resume, writeSettings } from '../../src/spool/home/rooms.ts';
import { listRooms } from '../../src/spool/home/worker-rooms.ts';
import { headerReader } from '../../src/spool/queue-files.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import type { Payload } from '../history.ts';
import { type Layout, numberOf } from './layout.ts';
import { nameIn, payloadOf, type SharedVariant, workShared } from './sharing.ts';
import { spool, writeFile } from './spool.ts';

const QUEUE = '/queue';

/** A job that is to start later may do so after this. */
const LATER_MS = 500;

export function homeWith(name: string, variant: SharedVariant): Layout {
  const shared = { open: (machine: Machine) => openSpool(machine, QUEUE), claimedJobs, variant, startsAtMs };
  return {
    ...spool,
    name,
    isShared: true,
    create: async (machine) => {
      await createSpool(machine, QUEUE);
      await makeRooms(machine, QUEUE);
      await writeSettings(machine, QUEUE, { order: 'free' });
    },
    laneOf,
    isVain: (payload) => payload.includes('expired'),
    putAway: failedJobs,
    givesUp: variant.maxStarts !== undefined,
    add: async (machine, payload, way) => {
      const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
      const queue = await openSpool(machine, QUEUE);
      return numberOf(await queue.add(newJob(machine, payload), { durability }));
    },
    addAll: async (machine, payloads) => {
      const queue = await openSpool(machine, QUEUE);
      return (await queue.addAll(payloads.map((payload) => newJob(machine, payload)))).map(numberOf);
    },
    pause: (machine) => pause(machine, QUEUE),
    resume: async (machine) => {
      await resume(machine, QUEUE);
    },
    work: (machine, runner) => workShared(shared, machine, runner),
    skipTo: async (machine, lane, next) => {
      const path = `${QUEUE}/lanes/${lane}`;
      await writeFile(machine, `${path}.set`, encodeBytes(`${next}\n`));
      await machine.files.rename(`${path}.set`, path);
      const directory = await machine.files.open(`${QUEUE}/lanes`, 'directory');
      await machine.files.fsync(directory);
      await machine.files.close(directory);
    },
    notes: ['log'],
    listed: [`${QUEUE}/work`, `${QUEUE}/lanes`],
    fixedNames: ['nextseq.lock', 'settings.json', 'paused', ...lanes()].map((file) => `${QUEUE}/${file}`),
  };
}

export const home: Layout = homeWith('home', {});

/** Each job has a second name, in the room of a worker that is dead: a power cut has torn the rename by which it was claimed. */
export const homeTorn: Layout = {
  ...home,
  name: 'home-torn',
  add: async (machine, payload, way) => {
    const place = await home.add(machine, payload, way);
    await tearClaims(machine);
    return place;
  },
};

async function tearClaims({ files, host }: Machine): Promise<void> {
  for (const { name } of await files.readdir(`${QUEUE}/jobs`)) {
    const job = parseJobName(name);
    if (job === undefined) continue;
    const path = `${QUEUE}/work/dead.${job.stem}`;
    if (await files.exists(path)) continue;
    await files.mkdir(path);
    const worker = await files.open(`${path}/worker`, 'create');
    const info = { host: host.name, boot: host.bootId, pid: 1, startedMs: 0, leaseMs: 1000 };
    await files.write(worker, encodeBytes(`${JSON.stringify(info)}\n`));
    await files.close(worker);
    await files.link(
      `${QUEUE}/jobs/${name}`,
      `${path}/${formatJobName({ ...job, attempts: job.attempts + 1 })}`,
    );
  }
}

/** The other ways to work it that the library offers. */
export const HOME_VARIANTS: readonly Layout[] = [
  homeWith('home-keep', { keepSucceeded: true }),
  homeWith('home-hold', { blocked: 'hold' }),
  homeWith('home-drop', { blocked: 'drop' }),
];

/** A job whose worker is killed is not started again. For cases without lanes: the history does not see one go on. */
export const homeOnce: Layout = homeWith('home-once', { maxStarts: 1 });

function lanes(): string[] {
  return ['red', 'blue'].flatMap((lane) =>
    [lane, `${lane}.lock`, `${lane}.added`].map((name) => `lanes/${name}`),
  );
}

function laneOf(payload: Payload): string | undefined {
  return /(red|blue)\//.exec(payload)?.[1];
}

/** What it was added with goes along as a parameter too, so that whoever settles it knows which one it is. */
function newJob({ clock }: Machine, payload: Payload): NewJob {
  const lane = laneOf(payload);
  const name = nameIn(payload);
  return {
    payload,
    params: [payload],
    ...(lane === undefined ? {} : { lane }),
    ...(name === undefined ? {} : { name }),
    ...(payload.includes('later') ? { notBefore: new Date(toMs(clock.now()) + LATER_MS) } : {}),
    ...(payload.includes('expired') ? { expires: new Date(0) } : {}),
  };
}

function startsAtMs({ work }: Job): number | undefined {
  return work.kind === 'command' ? termsIn(work.env).notBeforeMs : undefined;
}

async function failedJobs(machine: Machine): Promise<Payload[]> {
  const read = headerReader(machine);
  const payloads: Payload[] = [];
  for (const { name } of await machine.files.readdir(`${QUEUE}/failed`)) {
    const result = await read(`${QUEUE}/failed/${name}`);
    if (result.kind === 'header') payloads.push(payloadOf(result.header));
  }
  return payloads;
}

async function claimedJobs(machine: Machine): Promise<number> {
  const rooms = await listRooms(machine, QUEUE);
  return rooms.reduce((count, { jobs }) => count + jobs.length, 0);
}
