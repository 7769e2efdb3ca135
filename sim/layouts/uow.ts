/**
 * A simple-job-q, worked by its Monitor. A unit's job is a function that adds a line to its log; what is to become of it
 * stands in its label: `!` ends with an error.
 *
 * A unit is run once for each time that a person puts it into a queue. Here that person looks into `fail-q` when the Monitor
 * has ended, and puts back what is there: so each job comes to its end, and one that runs a second time without
 * him is a broken promise. He also reads the logs of what is done.
 */

import type { RunJob } from '../../src/monitor/launch.ts';
import { runMonitor } from '../../src/monitor/monitor.ts';
import { decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import type { Machine } from '../../src/os/ports.ts';
import { sleep } from '../../src/os/sleep.ts';
import { readSmallFile } from '../../src/os/transfer.ts';
import { isQueueError } from '../../src/queue/errors.ts';
import type { Place } from '../../src/uow/config.ts';
import { initRoot } from '../../src/uow/init.ts';
import { moveFile } from '../../src/uow/move.ts';
import { openRoot, QUEUES, type Root } from '../../src/uow/root.ts';
import { submitUnit } from '../../src/uow/submit.ts';
import { listQueue, seeUnit } from '../../src/uow/unit-files.ts';
import type { Payload } from '../history.ts';
import type { Layout, Observer } from './layout.ts';
import { writeFile } from './spool.ts';

const ROOT = '/jobs';
const PAYLOAD_ITEM = 'PAYLOAD';
const RUN_MS = 1;
const FILE_LIMIT_BYTES = 65_536;
/** Of a unit in no order. */
const NO_PLACE = -1n;
/** More rounds than this nobody needs who puts back what a dead Monitor has left. */
const ROUNDS_LIMIT = 4;
const SAID = 'all is said';

/** Nobody reads what this Monitor says: each sentence would be another disk. */
const CONFIG = ['job do :: do', 'quiet seconds :: 0', 'messages out :: /dev/null', ''].join('\n');

export const uow: Layout = {
  name: 'uow',
  ignoresNumbers: true,
  isShared: true,
  create: async (machine) => {
    await initRoot(machine, ROOT);
    await writeFile(machine, `${ROOT}/config.txt`, encodeBytes(CONFIG));
  },
  createSender: () => Promise.reject(new Error('units of work are not carried by sync tools here')),
  exists: async (machine) => {
    try {
      await openRoot(machine, ROOT);
      return true;
    } catch (error) {
      if (isQueueError(error, 'not-a-root')) return false;
      throw error;
    }
  },
  laneOf: () => undefined,
  add: async (machine, payload, way) => {
    const { root } = await openRoot(machine, ROOT);
    const bytes = encodeBytes(`==== UNIT OF WORK\n${PAYLOAD_ITEM} :: ${payload}\n`);
    const durability = way === 'crash-safe' ? 'crash-safe' : 'power-safe';
    await submitUnit(machine, root, { place: 'wait-q', name: nameOf(payload), bytes, durability });
    return NO_PLACE;
  },
  mayHaveAdded: (error) => isQueueError(error, 'not-durable'),
  work: async (machine, { observer, manner }) => {
    const { root } = await openRoot(machine, ROOT);
    const payloads = new Map<string, Payload>();
    const twice: Payload[] = [];
    for (let round = 1; ; round++) {
      await runMonitor(machine, ROOT, {
        once: true,
        run: runnerOf(machine, observer, payloads, twice),
        onSaid: (sentence) => tellFinished(observer, sentence, payloads),
      });
      if (twice.length > 0) throw new Error(`${twice[0]} ran twice, and nobody had put it back`);
      if (manner?.isPatient !== true || (await putBack(machine, root)) === 0) return { kind: 'empty' };
      if (round === ROUNDS_LIMIT) throw new Error(`after ${round} rounds there is still something in fail-q`);
    }
  },
  unreadable: complaints,
  skipTo: () => Promise.reject(new Error('there are no lanes')),
  arrivals: `${ROOT}/wait-q`,
  listed: ['currently-executing', 'done-q', 'fail-q'].map((name) => `${ROOT}/${name}`),
  fixedNames: ['monitor.lock', 'paused', 'config.txt', 'monitor_reads'].map((name) => `${ROOT}/${name}`),
};

/** Every payload has another one, which is known from it. */
function nameOf(payload: Payload): string {
  return `unit ${payload.replace(/[^A-Za-z0-9!~]+/g, '-')}`;
}

/** `payloads`: by the names of units, those that were run. `twice`: those that nobody had put back. */
function runnerOf(
  machine: Machine,
  observer: Observer,
  payloads: Map<string, Payload>,
  twice: Payload[],
): RunJob {
  return async (_launch, { unit, path, log }) => {
    const payload = unit.items.get(PAYLOAD_ITEM) ?? '';
    payloads.set(path.slice(path.lastIndexOf('/') + 1), payload);
    const text = decodeBytes(await readSmallFile(machine.files, path, FILE_LIMIT_BYTES));
    const ranBefore = text.slice(unit.logAt ?? 0).includes('begun');
    if (ranBefore && !unit.status.startsWith('again')) twice.push(payload);
    const run = observer.started(NO_PLACE, encodeBytes(payload));
    await machine.files.write(log, encodeBytes('begun\n'));
    await sleep(machine.clock, RUN_MS);
    await machine.files.write(log, encodeBytes(`${SAID}\n`));
    observer.ended(run, true);
    return payload.startsWith('job !')
      ? { ending: 'error', reason: 'exit code 1' }
      : { ending: 'done', reason: 'exit code 0' };
  };
}

/** The Monitor has said of a unit that it is over; its name says which it is. */
function tellFinished(observer: Observer, sentence: string, payloads: ReadonlyMap<string, Payload>): void {
  const [, name = ''] = /^(unit .*?): (?:done|error): .*; it is in /.exec(sentence) ?? [];
  const payload = payloads.get(name);
  if (payload !== undefined) observer.finished({ payload });
}

/** What a person does about units that ran into the death of their Monitor. How many there were. */
async function putBack(machine: Machine, root: Root): Promise<number> {
  const directory = root.places['fail-q'];
  let count = 0;
  for (const name of (await listQueue(machine, directory)).units) {
    const seen = await seeUnit(machine, `${directory}/${name}`);
    if (seen.kind !== 'unit') continue;
    await moveFile(machine, { directory, name }, root.places['wait-q']);
    count += 1;
  }
  return count;
}

/** What is in no order that a Monitor should have left, or lost. */
async function complaints(machine: Machine): Promise<string[]> {
  const { root } = await openRoot(machine, ROOT);
  const found: string[] = [];
  for (const place of QUEUES) found.push(...(await complaintsIn(machine, root, place)));
  return found;
}

async function complaintsIn(machine: Machine, root: Root, place: Place): Promise<string[]> {
  const directory = root.places[place];
  const found: string[] = [];
  for (const name of (await listQueue(machine, directory)).units) {
    const path = `${directory}/${name}`;
    const seen = await seeUnit(machine, path);
    if (seen.kind !== 'unit') found.push(`${path}: ${seen.kind}`);
    if (seen.kind !== 'unit' || place !== 'done-q') continue;
    const text = decodeBytes(await readSmallFile(machine.files, path, FILE_LIMIT_BYTES));
    if (!text.endsWith(`${SAID}\n`)) found.push(`${path}: its log is not whole`);
  }
  return found;
}
