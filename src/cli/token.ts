import { decodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';

const LIMIT_BYTES = 4096;

/** The first line of a file: on a command line, and in the environment, others could see it. */
export async function readToken(machine: Machine, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = decodeBytes(await readSmallFile(machine.files, path, LIMIT_BYTES));
  } catch (error) {
    throw new QueueError('bad-setting', `${path}: the token cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const [token = ''] = text.split('\n');
  if (/^[\x21-\x7e]{8,}$/.test(token)) return token;
  throw new QueueError(
    'bad-setting',
    `${path}: expected a token of at least 8 printable ASCII characters in its first line`,
  );
}
