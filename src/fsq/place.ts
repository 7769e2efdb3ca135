/**
 * Where things are in a queue's directory, and in one of a host:
 *
 *     QUEUE/tmp/  queue/  done/  fail/     items that are written, that wait, that are done, that have failed
 *     QUEUE/down                           there: nothing is scanned
 *     QUEUE/trigger-s                      a FIFO: a byte in it tells those who wait that something came in
 *     QUEUE/hosts/HOST/...                 the same again for each host, but for the FIFO,
 *     QUEUE/hosts-trigger-s                which they share
 *     QUEUE/intray/                        our own, made when it is needed; the original does not look at it
 *
 * Source: `man 7 fsq`.
 */

import { hasErrno, type Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { type Constants, isComponent } from './constants.ts';

export type Place = {
  /** The directory of the queue, or of a host's part of it. */
  readonly directory: string;
  readonly host: string | undefined;
  readonly tmp: string;
  readonly waiting: string;
  readonly done: string;
  readonly fail: string;
  /** Any of these stops scanning. */
  readonly down: readonly string[];
  readonly trigger: string;
  readonly own: string;
};

export function placeAt(directory: string, constants: Constants): Place {
  return {
    ...roomsIn(directory, constants),
    host: undefined,
    down: [join(directory, constants.down)],
    trigger: join(directory, constants.trigger),
  };
}

/** Throws `bad-setting` for what is no name of a host. */
export function hostPlaceAt(queue: string, host: string, constants: Constants): Place {
  checkName('host', host);
  const directory = join(join(queue, constants.hosts), host);
  return {
    ...roomsIn(directory, constants),
    host,
    down: [join(directory, constants.down), join(queue, constants.down)],
    trigger: join(queue, constants.hostsTrigger),
  };
}

function roomsIn(directory: string, constants: Constants) {
  return {
    directory,
    tmp: join(directory, constants.tmp),
    waiting: join(directory, constants.queue),
    done: join(directory, constants.done),
    fail: join(directory, constants.fail),
    own: join(directory, 'intray'),
  };
}

export function roomsOf({ tmp, waiting, done, fail }: Place): readonly string[] {
  return [tmp, waiting, done, fail];
}

export function join(directory: string, name: string): string {
  return `${directory}/${name}`;
}

export function checkName(what: 'queue' | 'host', name: string): void {
  if (isComponent(name)) return;
  throw new QueueError(
    'bad-setting',
    `${JSON.stringify(name)} is no name of a ${what}: it must not be empty, \`.\` or \`..\`, nor hold a slash`,
    what === 'queue' ? { hint: 'FSQ_ROOT, or -r, names the directory that queues are in.' } : {},
  );
}

/** Whether all four directories are there. */
export async function isPlace(machine: Machine, place: Place): Promise<boolean> {
  for (const room of roomsOf(place)) {
    try {
      if ((await machine.files.stat(room)).kind !== 'directory') return false;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }
  return true;
}

export const NO_QUEUE_HINT = '`fsq install QUEUE` makes one.';

/** Throws `not-a-queue`. */
export async function requirePlace(machine: Machine, place: Place): Promise<void> {
  if (await isPlace(machine, place)) return;
  const names = roomsOf(place).map((path) => path.slice(path.lastIndexOf('/') + 1));
  throw new QueueError(
    'not-a-queue',
    `${place.directory}: it lacks one of the directories ${names.join(', ')}, so it is no queue of fsq`,
    { hint: NO_QUEUE_HINT },
  );
}

/** For what was moved or removed while somebody works it. */
export function goneMeanwhile({ directory }: Place, cause: unknown): QueueError {
  const message = `${directory}: it is not there any more, or not whole: what runs is left as it was`;
  return new QueueError('not-a-queue', message, { cause, hint: 'Where it was moved, begin again there.' });
}

export async function isDown({ files }: Machine, { down }: Place): Promise<boolean> {
  for (const path of down) if (await files.exists(path)) return true;
  return false;
}
