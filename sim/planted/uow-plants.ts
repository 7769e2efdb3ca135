/** Deliberate faults of a Monitor; how they are made: see plants.ts. */

import { decodeBytes } from '../../src/os/bytes.ts';
import type { Wrap } from '../machine/machine.ts';
import type { HomePlant } from './home-plants.ts';
import { changed, withoutSync } from './plants.ts';

const without = (pattern: RegExp): Wrap =>
  changed((files) => ({
    writeAt: async (at, bytes, position) => {
      if (!pattern.test(decodeBytes(bytes))) await files.writeAt(at, bytes, position);
    },
  }));

const isQueue = (path: string) => /^\/jobs\/[a-z-]+$/.test(path);

export const UOW_PLANTS: readonly HomePlant[] = [
  {
    name: 'uow-no-mark',
    mistake: 'a job is started before its unit says that it runs',
    wrap: without(/^running/),
    scenario: 'share-1',
    profile: 'lasting',
  },
  {
    name: 'uow-no-lock',
    mistake: 'a second Monitor does not ask whether there is one',
    wrap: (machine) => ({ ...machine, locks: { ...machine.locks, tryLock: () => true } }),
    scenario: 'share-beside-sharing',
    profile: 'lasting',
  },
  {
    name: 'uow-name-not-durable',
    mistake: 'the old name of a unit is removed before the new one is on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'directory' && isQueue(path)),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'uow-content-not-durable',
    mistake: 'a unit with a timestamp takes the place of the old one before it is on the disk',
    wrap: withoutSync(({ path }) => path.endsWith('.made')),
    scenario: 'share-1',
    profile: 'weak',
  },
  {
    name: 'uow-log-not-durable',
    mistake: 'a unit is moved to done-q before its log and its status are on the disk',
    wrap: withoutSync(({ mode, path }) => mode === 'lock-present' && path.includes('/currently-executing/')),
    scenario: 'share-1',
    profile: 'weak',
  },
];
