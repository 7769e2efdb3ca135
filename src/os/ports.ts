/**
 * The machine, as the rest of intray sees it: eight small interfaces, each in a file of ports/.
 *
 * Everything above src/os reaches files, file events, locks, processes, time, chance, the host and HTTP through these
 * and nothing else, so one engine runs on the real machine and on a simulated one. Every call is a `Step`: on
 * the real machine it is done when it returns (synchronous system calls, no thread hop on the per-job path),
 * on a simulated one it is a promise, and any other process may run before it settles. Callers always
 * `await`, and so never rely on two calls being one.
 *
 * Paths and names are strings. Bytes of a name that are not UTF-8 travel as lone surrogates (see bytes.ts)
 * and come out of the machine as the bytes they were.
 *
 * Failures are thrown as `SystemError`s with the errno name in `code`, as Node's own calls do.
 */

import type { Files } from './ports/files.ts';
import type { Host } from './ports/host.ts';
import type { Http } from './ports/http.ts';
import type { Locks } from './ports/locks.ts';
import type { Processes } from './ports/processes.ts';
import type { Clock, Random } from './ports/time.ts';
import type { Watches } from './ports/watches.ts';

export * from './ports/errors.ts';
export type * from './ports/files.ts';
export type * from './ports/host.ts';
export type * from './ports/http.ts';
export type * from './ports/locks.ts';
export type * from './ports/processes.ts';
export * from './ports/step.ts';
export type * from './ports/time.ts';
export type * from './ports/watches.ts';

export interface Machine {
  /** Left out by machines without a network. */
  readonly http?: Http;
  readonly files: Files;
  readonly watches: Watches;
  readonly locks: Locks;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: Host;
}
