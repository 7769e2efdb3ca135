/** The queues that the words on the command line name: each a queue, or a directory that has queues in it. */

import { hasErrno, type Machine } from '../../os/ports.ts';
import type { Queue } from '../../queue/contract.ts';
import { isQueueError, QueueError } from '../../queue/errors.ts';
import { join, nextSequencePath } from '../../spool/layout.ts';
import { requireQueue } from '../../spool/queue-files.ts';
import { openSpool } from '../../spool/spool.ts';

export type NamedQueues = {
  /** Whether there may be more of them later, or fewer. */
  readonly changing: boolean;
  /** As they are now. */
  find(): Promise<readonly Queue[]>;
};

/** Throws `not-a-queue` for a path that is neither a queue nor, if those may come, a directory that can have some. */
export async function namedQueues(
  machine: Machine,
  paths: readonly string[],
  options: { readonly mayCome: boolean },
): Promise<NamedQueues> {
  const fixed = new Map<string, Queue>();
  const parents: string[] = [];
  for (const path of paths.map(withoutSlashes)) {
    try {
      fixed.set(path, await openSpool(machine, path));
    } catch (error) {
      if (!isQueueError(error, 'not-a-queue') || !(await mayHaveQueues(machine, path, options.mayCome)))
        throw error;
      parents.push(path);
    }
  }
  const found = new Map<string, Queue>();
  return {
    changing: parents.length > 0,
    find: async () => {
      const queues = [...fixed.values()];
      for (const path of (await Promise.all(parents.map((parent) => queuesIn(machine, parent)))).flat()) {
        if (fixed.has(path)) continue;
        const queue = found.get(path) ?? (await openIfThere(machine, path));
        if (queue === undefined) continue;
        found.set(path, queue);
        queues.push(queue);
      }
      return queues;
    },
  };
}

/** Undefined when it has gone since it was seen. */
async function openIfThere(machine: Machine, path: string): Promise<Queue | undefined> {
  try {
    return await openSpool(machine, path);
  } catch (error) {
    if (isQueueError(error, 'not-a-queue')) return undefined;
    throw error;
  }
}

async function mayHaveQueues(machine: Machine, path: string, mayCome: boolean): Promise<boolean> {
  try {
    return mayCome
      ? (await machine.files.stat(path)).kind === 'directory'
      : (await queuesIn(machine, path)).length > 0;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Those that can be worked: one that is only added to here has no `nextseq.lock`, and one being made has none yet. */
async function queuesIn(machine: Machine, parent: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, kind } of await machine.files.readdir(parent)) {
    if (kind === 'file' || name.startsWith('.')) continue;
    const path = join(parent, name);
    if (await isWorkable(machine, path)) paths.push(path);
  }
  return paths.sort();
}

async function isWorkable(machine: Machine, path: string): Promise<boolean> {
  try {
    await requireQueue(machine, path);
    await machine.files.stat(`${nextSequencePath(path)}.lock`);
    return true;
  } catch (error) {
    if (error instanceof QueueError || hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/** `~/q/` and `~/q` are one queue. */
function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
