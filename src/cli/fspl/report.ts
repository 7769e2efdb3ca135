import type { Unreadable } from '../../queue/contract.ts';
import type { Context } from '../context.ts';

/** How many bad files are named one by one before the rest is only counted. */
const NAMED_LIMIT = 20;

/** Says which files are named like jobs and are none. */
export async function reportUnreadable(context: Context, unreadable: readonly Unreadable[]): Promise<void> {
  for (const { path, message } of unreadable.slice(0, NAMED_LIMIT)) {
    await context.log('warn', `${path}: ${message}; it was stepped over`);
  }
  const more = unreadable.length - NAMED_LIMIT;
  if (more > 0) await context.log('warn', `${more} more files that cannot be read as jobs were stepped over`);
}
