/**
 * Making queues and removing them: nobody sees half of one.
 *
 * | step of making                             | what is there after it         | a crash here leaves        |
 * |--------------------------------------------|--------------------------------|----------------------------|
 * | ROOT/.NAME.UUID with all that is in it      | a directory nobody looks at    | litter under a name with a dot |
 * | fsync of it, and of what is in it           | the same, on disk              | the same                   |
 * | (replacing) the old queue -> ROOT/.NAME.UUID | no queue                       | the old one, under that name |
 * | rename to ROOT/NAME                         | the queue                      | after a power cut: either  |
 * | fsync of ROOT                               | the queue, for good            | the queue                  |
 *
 * Removing one is the same from behind: a rename, an fsync, and then it is taken apart at leisure.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { removeTree } from '../os/remove-tree.ts';
import { QueueError } from '../queue/errors.ts';
import { syncDirectory } from '../queue/publish.ts';
import { type Constants, isComponent } from './constants.ts';
import { dress, type Owner, ownerOf } from './owners.ts';
import { checkName, hostPlaceAt, isPlace, join, type Place, placeAt, roomsOf } from './place.ts';

export type InstallOptions = {
  /** What to do when there is a queue already. Default: refuse, with `exists`. */
  readonly existing?: 'refuse' | 'replace' | 'keep';
  readonly isDown?: boolean;
  readonly hasTrigger?: boolean;
  readonly hosts?: readonly string[];
};

/** Makes a queue. Returns false when it was there and is kept. Throws `exists`. */
export async function install(
  machine: Machine,
  path: string,
  constants: Constants,
  options: InstallOptions = {},
): Promise<boolean> {
  const { hosts = [] } = options;
  for (const host of hosts) checkName('host', host);
  return build(machine, path, constants, options, async (maker, temporary) => {
    await maker.rooms(placeAt(temporary, constants));
    if (options.isDown) await maker.file(join(temporary, constants.down));
    if (options.hasTrigger) await maker.fifo(join(temporary, constants.trigger));
    if (hosts.length > 0) await maker.directory(join(temporary, constants.hosts));
    if (hosts.length > 0 && options.hasTrigger) await maker.fifo(join(temporary, constants.hostsTrigger));
    for (const host of hosts) {
      const place = hostPlaceAt(temporary, host, constants);
      await maker.directory(place.directory);
      await maker.rooms(place);
      await maker.sync(place.directory);
    }
    if (hosts.length > 0) await maker.sync(join(temporary, constants.hosts));
  });
}

/** Makes a host's part of a queue. Returns false when it was there and is kept. Throws `exists`. */
export async function installHost(
  machine: Machine,
  queue: string,
  host: string,
  constants: Constants,
  options: Pick<InstallOptions, 'existing' | 'isDown'> = {},
): Promise<boolean> {
  const { directory } = hostPlaceAt(queue, host, constants);
  const maker = await makerFor(machine, constants);
  const hosts = join(queue, constants.hosts);
  try {
    await maker.directory(hosts);
    await maker.sync(queue);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  return build(machine, directory, constants, options, async (_, temporary) => {
    await maker.rooms(placeAt(temporary, constants));
    if (options.isDown) await maker.file(join(temporary, constants.down));
  });
}

/** Removes a queue, or a host's part of one, with all its items. Throws `not-a-queue`. */
export async function uninstall(machine: Machine, path: string, constants: Constants): Promise<void> {
  if (!(await isPlace(machine, placeAt(path, constants)))) {
    throw new QueueError('not-a-queue', `${path}: it is no queue of fsq, so it is left alone`);
  }
  const aside = temporaryBeside(machine, path);
  await machine.files.rename(path, aside);
  await syncDirectory(machine.files, parentOf(path), path);
  await removeTree(machine.files, aside);
}

async function build(
  machine: Machine,
  path: string,
  constants: Constants,
  { existing = 'refuse' }: InstallOptions,
  fill: (maker: Maker, temporary: string) => Promise<void>,
): Promise<boolean> {
  const { files } = machine;
  const isThere = await isPlace(machine, placeAt(path, constants));
  if (isThere && existing === 'keep') return false;
  if (isThere && existing === 'refuse') throw exists(path);
  const temporary = temporaryBeside(machine, path);
  try {
    const maker = await makerFor(machine, constants);
    await maker.directory(temporary);
    await fill(maker, temporary);
    await maker.sync(temporary);
    await putInPlace(machine, temporary, path, isThere);
  } catch (error) {
    await removeTree(files, temporary).catch(() => {}); // the first error is the one to tell
    throw error;
  }
  return true;
}

async function putInPlace(
  machine: Machine,
  temporary: string,
  path: string,
  replaces: boolean,
): Promise<void> {
  const { files } = machine;
  const old = temporaryBeside(machine, path);
  if (replaces) await files.rename(path, old);
  try {
    await files.rename(temporary, path);
  } catch (error) {
    if (replaces) await files.rename(old, path);
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw exists(path, error);
    throw error;
  }
  await syncDirectory(files, parentOf(path), path);
  if (replaces) await removeTree(files, old);
}

function exists(path: string, cause?: unknown): QueueError {
  return new QueueError('exists', `${path}: there is something of that name already`, { cause });
}

type Maker = {
  directory(path: string): Promise<void>;
  rooms(place: Place): Promise<void>;
  file(path: string): Promise<void>;
  fifo(path: string): Promise<void>;
  sync(path: string): Promise<void>;
};

/** Makes things with the modes and owners that the constants say. Throws `bad-setting`. */
async function makerFor(machine: Machine, constants: Constants): Promise<Maker> {
  const { files } = machine;
  const ofQueue = await ownerOf(machine, constants.queueUser, constants.queueGroup);
  const ofItem = await ownerOf(machine, constants.itemUser, constants.itemGroup);
  const dressAt = async (path: string, how: 'directory' | 'read-job', mode: number, owner: Owner) => {
    const descriptor = await files.open(path, how);
    try {
      await dress(machine, descriptor, mode, owner);
    } finally {
      await closeQuietly(files, descriptor);
    }
  };
  const maker: Maker = {
    directory: async (path) => {
      await files.mkdir(path);
      await dressAt(path, 'directory', constants.queueMode, ofQueue);
    },
    rooms: async (place) => {
      for (const room of roomsOf(place)) await maker.directory(room);
    },
    file: async (path) => {
      await files.close(await files.open(path, 'create'));
      await dressAt(path, 'read-job', constants.itemMode, ofItem);
    },
    fifo: async (path) => {
      if (files.mkfifo === undefined) throw new QueueError('not-possible', 'no FIFO can be made here');
      await files.mkfifo(path);
      await dressAt(path, 'read-job', constants.itemMode, ofItem);
    },
    sync: async (path) => {
      await syncDirectory(files, path, path);
    },
  };
  return maker;
}

/** Where nobody looks for a queue. */
function temporaryBeside({ random }: Machine, path: string): string {
  const at = path.lastIndexOf('/') + 1;
  // A long name leaves no room for more; the random part is what makes it unlike others.
  return `${path.slice(0, at)}.${path.slice(at, at + 40)}.${random.uuid()}`;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}

export function isQueueName(name: string): boolean {
  return isComponent(name) && !name.startsWith('.');
}
