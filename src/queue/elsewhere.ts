import { hasErrno, type Machine } from '../os/ports.ts';

/** Those of these directories that are on another file system than the queue. */
export async function elsewhere(
  { files }: Machine,
  queue: string,
  directories: readonly string[],
): Promise<string[]> {
  const { device } = await files.stat(queue);
  const found: string[] = [];
  for (const path of directories) {
    try {
      if ((await files.stat(path)).device !== device) found.push(path);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error; // a missing one is told as such
    }
  }
  return found;
}
