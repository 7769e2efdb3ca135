/** `intray hold` and `intray release`: jobs that wait for a person. */

import type { Context } from '../context.ts';
import { type Change, changeJobs, type ManyJobs } from './operating.ts';

const HOLD: Change = {
  past: 'held',
  unchanged: 'is held already',
  what: 'hold single jobs',
  by: (operation) => operation.hold?.bind(operation),
};

const RELEASE: Change = {
  past: 'released',
  unchanged: 'is not held',
  what: 'hold single jobs, or release them',
  by: (operation) => operation.release?.bind(operation),
};

export function hold(context: Context, args: ManyJobs): Promise<number> {
  return changeJobs(context, args, HOLD);
}

export function release(context: Context, args: ManyJobs): Promise<number> {
  return changeJobs(context, args, RELEASE);
}
