/** Whether two files hold the same bytes. */

import { closeQuietly } from '../../../os/close-quietly.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { readExactly } from '../../../os/transfer.ts';

const CHUNK_BYTES = 256 * 1024;

/** False, too, when one of them is gone. */
export async function sameBytes({ files }: Machine, path: string, other: string): Promise<boolean> {
  try {
    const a = await files.open(path, 'read-job');
    try {
      const b = await files.open(other, 'read-job');
      try {
        for (;;) {
          const [here, there] = [
            await readExactly(files, a, CHUNK_BYTES),
            await readExactly(files, b, CHUNK_BYTES),
          ];
          if (here.length !== there.length || here.some((byte, at) => byte !== there[at])) return false;
          if (here.length < CHUNK_BYTES) return true;
        }
      } finally {
        await closeQuietly(files, b);
      }
    } finally {
      await closeQuietly(files, a);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE', 'EISDIR', 'ENXIO')) return false;
    throw error;
  }
}
