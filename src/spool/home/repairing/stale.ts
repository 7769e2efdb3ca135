/** What nobody writes any more. */

import { hasErrno, type Machine } from '../../../os/ports.ts';

/** A temporary file that nobody has written to for this long has no writer any more. */
export const STALE_MS = 24 * 3_600_000;

export async function modifiedMs({ files }: Machine, path: string): Promise<number | undefined> {
  try {
    return (await files.stat(path)).modifiedMs;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return undefined;
    throw error;
  }
}
