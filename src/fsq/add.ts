/**
 * Adding jobs as items. Those without a name share their syncing and are there together; one with a name is added by
 * itself, when those before it are there.
 */

import type { Machine } from '../os/ports.ts';
import type { Added, JobId, NewJob } from '../queue/contract.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { chunksOf, writeChunks } from '../queue/payload.ts';
import type { Durability } from '../queue/publish.ts';
import type { Constants } from './constants.ts';
import { enqueueOnce } from './enqueue.ts';
import { ItemWriter, type NewItem } from './item-writer.ts';
import type { Place } from './place.ts';

export type Adding = {
  readonly machine: Machine;
  readonly place: Place;
  readonly constants: Constants;
  readonly durability: Durability | undefined;
};

export async function addJobs(
  { machine, place, constants, durability = 'power-safe' }: Adding,
  jobs: Iterable<NewJob> | AsyncIterable<NewJob>,
): Promise<Added[]> {
  const added: Added[] = [];
  const note = (name: string, duplicate: boolean) =>
    added.push({ id: name as JobId, seq: undefined, duplicate });
  let writer: ItemWriter | undefined;
  const putInPlace = async () => {
    await writer?.finish();
    for (const name of (await writer?.putInPlace()) ?? []) note(name, false);
    writer = undefined;
  };
  try {
    for await (const job of jobs) {
      const item = newItem(machine, job);
      if (job.name === undefined) {
        writer ??= new ItemWriter(machine, place, constants, durability);
        await writer.draft(item);
        continue;
      }
      await putInPlace();
      const { name, isNew } = await enqueueOnce(machine, place, constants, job.name, item);
      note(name, !isNew);
    }
    await putInPlace();
    return added;
  } catch (error) {
    await writer?.takeBack();
    if (added.length === 0) throw error;
    const what = `${added.length} items were added, the others not: ${reasonOf(error)}`;
    throw new QueueError('not-durable', `${place.waiting}: ${what}`, { cause: error });
  }
}

function newItem(machine: Machine, job: NewJob): NewItem {
  refuseWhatHasNoPlace(job);
  return {
    args: job.params ?? [],
    notBeforeMs: timeOf(job.notBefore),
    write: (target) => writeChunks(machine, target, chunksOf(job.payload)),
  };
}

/** The priority that jobs have who ask for none. */
const USUAL_PRIORITY = 50;

function refuseWhatHasNoPlace({ env = {}, lane, priority, expires, name }: NewJob): void {
  if (Object.keys(env).length > 0) throw hasNo('variables of jobs; arguments and content travel');
  if (lane !== undefined) throw hasNo('lanes');
  if (priority !== undefined && priority !== USUAL_PRIORITY)
    throw hasNo('priorities; the oldest item is the first');
  if (expires !== undefined) throw hasNo('times at which single jobs expire; FSQ_TTL is for all');
  if (name === '') throw new QueueError('not-written', 'the name of the item is empty');
}

export function hasNo(what: string): QueueError {
  return new QueueError('not-written', `a queue of fsq has no ${what}`);
}

function timeOf(date: Date | undefined): number | undefined {
  const ms = date?.getTime();
  if (ms !== undefined && !(ms >= 0 && ms < 1e15)) {
    throw new QueueError('not-written', 'notBefore is not a time after 1970');
  }
  return ms;
}
