/**
 * Adding jobs.
 *
 * | step                               | what is there after it     | a crash here leaves                             |
 * |------------------------------------|----------------------------|-------------------------------------------------|
 * | a large payload is stored          | a payload of no job        | the same, which `gc` removes                    |
 * | the job's message is added         | the job, on as many        | the job; a message is there as a whole or not   |
 * |                                    | servers as are promised    | at all                                          |
 *
 * A job with a name is added when there is nothing of that name. Of two who do so at the same time the first in the log
 * has added the job: the other sees that afterwards and takes his away, and no worker begins it meanwhile, nor later. When
 * the job is over a message keeps the name: so there is never a moment in which it could be added again.
 */

import { encodeBytes } from '../os/bytes.ts';
import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { sequence } from '../packet/header.ts';
import type { Added, JobId, NewJob } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { isPriority } from '../queue/terms.ts';
import { stow } from './payload.ts';
import {
  isReceiptRecord,
  type JobRecord,
  parseRecord,
  type ReceiptRecord,
  Subjects,
  tokenOf,
} from './subjects.ts';
import type { Message, Wire } from './wire.ts';

/** Messages that are on their way to the servers at the same time. */
const MOST_AT_ONCE = 256;
const LONGEST_NAME_BYTES = 255;
/** What is said of a job beside its payload is a header, and the servers take 64 KiB of these. */
const ROOM_BYTES = 48 * 1024;

/** A server confirms what it has written and not synced, and does not say when it has. */
export const LEVEL = 'crash-safe';

export type Adding = { readonly machine: Machine; readonly wire: Wire; readonly queue: string };

/**
 * Adds them in their order. Those of lanes one after the other, for a message that has to be sent again comes after those
 * that were sent with it.
 */
export async function addJobs(
  parts: Adding,
  jobs: Iterable<NewJob> | AsyncIterable<NewJob>,
): Promise<Added[]> {
  const added: Promise<Added>[] = [];
  const failures: unknown[] = [];
  const underWay = new Set<Promise<unknown>>();
  for await (const job of jobs) {
    const one = await drafted(parts, job);
    if (failures.length > 0) break;
    const done = one().finally(() => underWay.delete(done));
    done.catch((error) => failures.push(error));
    added.push(done);
    underWay.add(done);
    if (job.lane !== undefined) await done.catch(() => {});
    while (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay).catch(() => {}); // told by `done`
  }
  await Promise.allSettled(added);
  return Promise.all(added);
}

/** Whatever takes time but for the message itself. */
async function drafted(parts: Adding, job: NewJob): Promise<() => Promise<Added>> {
  const { machine, wire, queue } = parts;
  const subjects = new Subjects(queue);
  const nonce = machine.random.uuid();
  const bare = recordOf(machine, nonce, job);
  const id = job.name === undefined ? nonce : `named-${tokenOf(encodeBytes(job.name))}`;
  const subject = job.name === undefined ? subjects.job(id) : subjects.named(id, nonce);
  const found = async () => (job.name === undefined ? undefined : wire.first(subjects.anyNamed(id)));
  // One that is there need not be sent first: its payload may be large.
  const known = await found();
  if (known !== undefined) return async () => addedBefore(id, known);
  const stowed = await stow(wire, nonce, job.payload);
  const beside = stowed.kind === 'beside' ? { name: stowed.name, size: stowed.size } : undefined;
  const record = JSON.stringify(beside === undefined ? bare : { ...bare, payload: beside });
  const body = stowed.kind === 'inline' ? stowed.body : undefined;
  return async () => {
    const unused = async () => {
      if (beside !== undefined) await wire.removePayload(beside.name);
    };
    try {
      const seq = await wire.append(subject, record, nonce, body);
      const first = await found();
      if (first === undefined || first.subject === subject)
        return { id: id as JobId, seq: sequence(seq), duplicate: false, durability: LEVEL };
      await wire.remove([seq]);
      await unused();
      return addedBefore(id, first);
    } catch (error) {
      // Of one that nobody answers for we do not know: it may be there.
      if (error instanceof QueueError && error.code !== 'not-reachable') await unused();
      throw error;
    }
  };
}

/** `first` is the job of that name, or what has been left of it. */
function addedBefore(id: string, first: Message): Added {
  const { over = first.seq } = parseRecord<ReceiptRecord>(first.record, isReceiptRecord) ?? {};
  return { id: id as JobId, seq: sequence(over), duplicate: true, durability: LEVEL };
}

function recordOf(machine: Machine, nonce: string, job: NewJob): JobRecord {
  const { params = [], env = {}, lane, priority, name } = job;
  const refuse = (what: string): never => {
    throw new QueueError('not-written', what);
  };
  const pairs = Object.entries(env);
  if (priority !== undefined && !isPriority(priority))
    refuse(`the priority is ${priority}, not a whole number from 0 to 99`);
  for (const [what, text] of [
    ['lane', lane],
    ['job', name],
  ] as const) {
    if (text === '') refuse(`the name of the ${what} is empty`);
    if (text !== undefined && encodeBytes(text).length > LONGEST_NAME_BYTES)
      refuse(`the name of the ${what} is longer than ${LONGEST_NAME_BYTES} bytes`);
  }
  if ([...params, ...pairs.flat()].some((text) => text.includes('\0')))
    refuse('the params or env hold a NUL, which no command can be given');
  const notBeforeMs = timeOf('notBefore', job.notBefore);
  const expiresMs = timeOf('expires', job.expires);
  const record: JobRecord = {
    nonce,
    madeMs: toMs(machine.clock.now()),
    params,
    env: pairs,
    ...(lane === undefined ? {} : { lane }),
    ...(priority === undefined ? {} : { priority }),
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(name === undefined ? {} : { name }),
  };
  const { length } = encodeBytes(JSON.stringify(record));
  if (length > ROOM_BYTES)
    refuse(`the params and env take ${length} bytes, more than the limit of ${ROOM_BYTES}`);
  return record;
}

function timeOf(what: string, date: Date | undefined): number | undefined {
  const ms = date?.getTime();
  if (ms === undefined || (ms >= 0 && ms < 1e15)) return ms;
  throw new QueueError('not-written', `${what} is not a time after 1970`);
}
