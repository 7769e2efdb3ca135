/** The queues that people name: each a queue, or a directory that has queues in it. */

import { hasErrno, isSystemError, type Machine } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import { isQueueError, QueueError } from '../queue/errors.ts';
import { openQueue } from './open.ts';
import { canBeWorked, recognise } from './recognise.ts';

export type NamedQueues = {
  /** Whether there may be more of them later, or fewer. */
  readonly changing: boolean;
  /** As they are now. */
  find(): Promise<readonly Queue[]>;
};

/**
 * Those that can be worked. Throws `not-a-queue` for a path that is neither a queue nor, if those may come, a directory
 * that can have some.
 */
export async function namedQueues(
  machine: Machine,
  paths: readonly string[],
  options: { readonly mayCome: boolean },
): Promise<NamedQueues> {
  const fixed = new Map<string, Queue>();
  const parents: string[] = [];
  for (const path of paths.map(withoutSlashes)) {
    try {
      fixed.set(path, await openQueue(machine, path));
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
      for (const path of (await Promise.all(parents.map((parent) => workedIn(machine, parent)))).flat()) {
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

/** Paths of queues, those that are only added to here among them. Throws `not-a-queue` for one that has none. */
export async function queuesAt(machine: Machine, paths: readonly string[]): Promise<string[]> {
  const queues: string[] = [];
  for (const path of paths) {
    if (await isQueue(machine, path)) {
      queues.push(path);
      continue;
    }
    let inside: string[];
    try {
      inside = await queuesIn(machine, path);
    } catch (error) {
      throw new QueueError('not-a-queue', `${path}: it is not a queue, and not a directory of queues`, {
        cause: error,
      });
    }
    if (inside.length === 0) {
      throw new QueueError('not-a-queue', `${path}: it is not a queue, and there is no queue in it`);
    }
    queues.push(...inside);
  }
  return queues;
}

async function queuesIn(machine: Machine, parent: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { name } of await machine.files.readdir(parent)) {
    if (await isQueue(machine, `${parent}/${name}`)) paths.push(`${parent}/${name}`);
  }
  return paths.sort();
}

async function isQueue(machine: Machine, path: string): Promise<boolean> {
  try {
    return (await recognise(machine, path)) !== undefined;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Undefined when it has gone since it was seen. */
async function openIfThere(machine: Machine, path: string): Promise<Queue | undefined> {
  try {
    return await openQueue(machine, path);
  } catch (error) {
    if (isQueueError(error, 'not-a-queue')) return undefined;
    throw error;
  }
}

async function mayHaveQueues(machine: Machine, path: string, mayCome: boolean): Promise<boolean> {
  try {
    return mayCome
      ? (await machine.files.stat(path)).kind === 'directory'
      : (await workedIn(machine, path)).length > 0;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** One that is being made need not be ready to be worked yet. */
async function workedIn(machine: Machine, parent: string): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, kind } of await machine.files.readdir(parent)) {
    if (kind === 'file' || name.startsWith('.')) continue;
    const path = `${parent}/${name}`;
    if (await isWorkable(machine, path)) paths.push(path);
  }
  return paths.sort();
}

async function isWorkable(machine: Machine, path: string): Promise<boolean> {
  try {
    const layout = await recognise(machine, path);
    return layout !== undefined && (await canBeWorked(machine, path, layout));
  } catch (error) {
    if (hasErrno(error, 'EACCES')) return false;
    throw error;
  }
}

/** `~/q/` and `~/q` are one queue. */
function withoutSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
