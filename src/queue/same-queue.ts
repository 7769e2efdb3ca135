import type { Machine } from '../os/ports.ts';
import { QueueError } from './errors.ts';

/** Throws `not-possible` when jobs were to be moved to where they are; `here` and `there` are directories of jobs. */
export async function refuseSameQueue(
  { files }: Machine,
  target: string,
  here: string,
  there: string,
): Promise<void> {
  const [from, to] = [await files.stat(here), await files.stat(there)];
  if (from.inode !== to.inode || from.device !== to.device) return;
  throw new QueueError('not-possible', `${target}: it is the queue that the jobs are in already`);
}
