import type { Machine } from '../ports.ts';
import { realClock } from './clock.ts';
import { realFiles } from './files.ts';
import { realHost } from './host.ts';
import { realHttp } from './http.ts';
import { realLocks } from './locks.ts';
import { realProcesses } from './processes.ts';
import { realWatches } from './watches.ts';

/** The machine this program runs on. */
export const realMachine: Machine = {
  http: realHttp,
  files: realFiles,
  watches: realWatches,
  locks: realLocks,
  processes: realProcesses,
  clock: realClock,
  random: { uuid: () => crypto.randomUUID() },
  host: realHost,
};
