/** `intray hold` and `intray release`: jobs that wait for a person. */

import { holdJob, releaseJob } from '../../spool/home/operate.ts';
import type { Context } from '../context.ts';
import { changeJobs, type ManyJobs } from './operating.ts';

export function hold(context: Context, args: ManyJobs): Promise<number> {
  return changeJobs(context, args, { past: 'held', unchanged: 'is held already', act: holdJob });
}

export function release(context: Context, args: ManyJobs): Promise<number> {
  return changeJobs(context, args, { past: 'released', unchanged: 'is not held', act: releaseJob });
}
