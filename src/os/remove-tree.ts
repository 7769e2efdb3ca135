import { ifThere, unlinkIfThere } from './if-there.ts';
import type { Files } from './ports.ts';

/** Removes a directory with all that is in it. What others remove meanwhile is no failure; links are not followed. */
export async function removeTree(files: Files, directory: string): Promise<void> {
  for (const { name, kind } of await files.readdir(directory)) {
    const path = `${directory}/${name}`;
    if (kind === 'directory') await removeTree(files, path);
    else await unlinkIfThere({ files }, path);
  }
  await ifThere(() => files.rmdir(directory), undefined);
}
