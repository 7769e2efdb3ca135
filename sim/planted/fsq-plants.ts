/** Deliberate faults of those who work a queue of fsq; how they are made: see plants.ts. */

import type { FileStatus, Machine } from '../../src/os/ports.ts';
import type { Wrap } from '../machine/machine.ts';
import type { HomePlant } from './home-plants.ts';
import { changed, takenOver, withoutSync } from './plants.ts';

const WAITING = /^\/queue\/queue\/[^/]+$/;

/** The name of an item that was opened is believed to lead to it still: what the original believes. */
function withoutSecondLook(machine: Machine): Machine {
  const { files } = machine;
  const opened = new Map<string, FileStatus>();
  return {
    ...machine,
    files: {
      ...files,
      open: async (path, mode) => {
        const descriptor = await files.open(path, mode);
        if (mode === 'read-job' && WAITING.test(path)) opened.set(path, await files.fstat(descriptor));
        return descriptor;
      },
      stat: (path) => opened.get(path) ?? files.stat(path),
    },
  };
}

const withoutLock: Wrap = (machine) => ({ ...machine, locks: { ...machine.locks, tryLock: () => true } });

/** Items are written under the name by which they are found. */
const visibleEarly: Wrap = changed((files) => ({
  open: (path, mode) =>
    files.open(mode === 'create' ? path.replace('/queue/tmp/', '/queue/queue/') : path, mode),
  link: async (from, to) => {
    if (!from.startsWith('/queue/tmp/')) await files.link(from, to);
  },
  unlink: async (path) => {
    if (!path.startsWith('/queue/tmp/')) await files.unlink(path);
  },
}));

const isIn = (path: string, ...rooms: readonly string[]) => rooms.some((room) => path === `/queue/${room}`);

export const FSQ_PLANTS: readonly HomePlant[] = [
  {
    name: 'fsq-no-second-look',
    mistake: 'nobody looks whether the name of a locked item still leads to it',
    wrap: withoutSecondLook,
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'fsq-no-lock',
    mistake: 'items are run without being locked',
    wrap: withoutLock,
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'fsq-visible-early',
    mistake: 'an item can be found before all of it is written',
    wrap: visibleEarly,
    scenario: 'share-while-putting',
    profile: 'lasting',
  },
  {
    name: 'fsq-content-not-durable',
    mistake: 'an item is accepted before its content is on the disk',
    wrap: withoutSync(({ path }) => path.startsWith('/queue/tmp/')),
    scenario: 'put-free',
    profile: 'weak',
  },
  {
    name: 'fsq-name-not-durable',
    mistake: 'an item is accepted before its name is on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && isIn(path, 'queue')),
    scenario: 'put-free',
    profile: 'weak',
  },
  {
    name: 'fsq-end-not-durable',
    mistake: 'that an item is over is told before it is on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && isIn(path, 'queue', 'done', 'fail')),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'fsq-rooms-not-durable',
    mistake: 'a queue is made whose directories are not on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.startsWith('/.queue.')),
    scenario: 'create-and-add',
    profile: 'weak',
  },
  {
    name: 'fsq-name-taken-over',
    mistake: 'of several adders of one name each gets it',
    wrap: takenOver((path) => path.startsWith('/queue/intray/names/')),
    scenario: 'put-named-beside-putting',
    profile: 'lasting',
  },
  {
    name: 'fsq-names-not-synced',
    mistake: 'a name is not on the disk when its item is accepted',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && path.endsWith('/intray/names')),
    scenario: 'put-named',
    profile: 'weak',
  },
];
