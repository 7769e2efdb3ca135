import type { Probe } from './probe.ts';
import { syncFile, syncNames } from './probes/durability.ts';
import { events } from './probes/events.ts';
import { atomicRename, exclusiveCreate, hardLink, openUnlinked, rename } from './probes/files.ts';
import { lockDescriptors, lockProcesses } from './probes/locks.ts';
import { letterCase, longNames, oddNames } from './probes/names.ts';
import { keeps, lockHosts, space } from './probes/storage.ts';
import { clockSkew, timeSteps } from './probes/time.ts';
import { volume } from './probes/volume.ts';

/** Everything that is asked, in the order in which it is asked and told. */
export const PROBES: readonly Probe[] = [
  syncFile,
  syncNames,
  keeps,
  exclusiveCreate,
  rename,
  atomicRename,
  hardLink,
  openUnlinked,
  lockDescriptors,
  lockProcesses,
  lockHosts,
  volume,
  events,
  clockSkew,
  timeSteps,
  longNames,
  oddNames,
  letterCase,
  space,
];
