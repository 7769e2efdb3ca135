/** A file that others read at any moment: they see all of the old one, or all of the new one. */

import { encodeBytes } from '../os/bytes.ts';
import { type Files, hasErrno, type Machine } from '../os/ports.ts';
import { QueueError } from './errors.ts';
import { publish } from './publish.ts';

/** `temporaryName`: one that nobody else chooses in that directory. Lasts as long as the power does. */
export async function replaceFile(
  files: Files,
  path: string,
  text: string,
  temporaryName: string,
): Promise<void> {
  const { directory, name } = partsOf(path);
  const bytes = encodeBytes(text);
  await publish(files, {
    directory,
    temporaryName,
    name,
    durability: 'crash-safe',
    write: async (target) => {
      await files.write(target, bytes);
      return bytes.length;
    },
  });
}

/** The same for a path that a person has named. Throws `not-a-file` for what must not be replaced, such as a device. */
export async function replaceNamedFile(machine: Machine, path: string, text: string): Promise<void> {
  const { files, random } = machine;
  try {
    const { kind } = await files.stat(path);
    if (kind !== 'file')
      throw new QueueError('not-a-file', `${path}: it is a ${kind}, and no file to replace`);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  await replaceFile(files, path, text, `.intray-${random.uuid()}.temp`);
}

export function partsOf(path: string): { readonly directory: string; readonly name: string } {
  const at = path.lastIndexOf('/');
  return { directory: at < 0 ? '.' : path.slice(0, at) || '/', name: path.slice(at + 1) };
}
