/** Options that all who go through a queue have. */

import type { Constants } from '../../fsq/constants.ts';
import { printable } from '../printable.ts';
import type { FsqContext } from './context.ts';

export type Scanning = {
  readonly verbose: boolean;
  readonly 'ignore-down': boolean;
  readonly 'no-done': boolean;
  readonly lock: boolean;
  readonly 'no-lock': boolean;
  readonly 'ttl-seconds': number | undefined;
  readonly 'max-tries': number | undefined;
};

/** The constants, as the options have them. */
export function scanningConstants(constants: Constants, options: Scanning): Constants {
  return {
    ...constants,
    lock: options.lock || (constants.lock && !options['no-lock']),
    ttl: options['ttl-seconds'] ?? constants.ttl,
    maxTries: options['max-tries'] ?? constants.maxTries,
  };
}

/** Tells of items that were not run. */
export function refusedNote({ complain }: FsqContext): (path: string, reason: string) => Promise<void> {
  return (path, reason) => complain(`fsq: ${printable(path)}: ${reason}\n`);
}
