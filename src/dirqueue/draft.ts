/** What somebody wants to add, as this format can hold it. */

import type { NewJob } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { checkMetadata, type Metadata, toMetadata } from './control-file.ts';
import { DEFAULT_PRIORITY, LAST_PRIORITY } from './job-id.ts';

export type Draft = {
  readonly priority: number;
  readonly metadata: Metadata;
  readonly notBeforeMs: number | undefined;
  readonly name: string | undefined;
};

/** Throws `not-possible` for what the format knows nothing of, and `not-written` for what it cannot hold. */
export function draftOf({ params = [], env = {}, lane, priority, notBefore, expires, name }: NewJob): Draft {
  if (lane !== undefined) throw notPossible('lanes: its jobs run in any order, and the original knows none');
  if (name === '') throw new QueueError('not-written', 'the name of the job is empty');
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= LAST_PRIORITY)) {
    throw new QueueError('not-written', `the priority is ${priority}, not a whole number from 0 to 99`);
  }
  if (params.some((param) => param.includes('\0'))) {
    throw new QueueError('not-written', 'the params hold a NUL, which no command can be given');
  }
  const metadata = toMetadata(params, env, timeOf('expires', expires), name);
  checkMetadata(metadata);
  return {
    priority: priority ?? DEFAULT_PRIORITY,
    metadata,
    notBeforeMs: timeOf('notBefore', notBefore),
    name,
  };
}

function notPossible(what: string): QueueError {
  return new QueueError('not-possible', `a queue of IPC::DirQueue has no ${what}`);
}

function timeOf(what: string, date: Date | undefined): number | undefined {
  const time = date?.getTime();
  if (time === undefined || (time >= 0 && time < 1e15)) return time;
  throw new QueueError('not-written', `${what} is not a time after 1970`);
}
