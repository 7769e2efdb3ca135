/** Files of a directory, with what tells how old they are. */

import type { Machine } from '../os/ports.ts';
import { entriesOf, ifThere, join } from './layout.ts';

export type SeenFile = { readonly path: string; readonly bytes: number; readonly changedMs: number };

export async function filesIn(machine: Machine, directory: string): Promise<SeenFile[]> {
  const found: SeenFile[] = [];
  for (const { name, kind } of await entriesOf(machine, directory)) {
    const file = kind === 'file' ? await fileAt(machine, join(directory, name)) : undefined;
    if (file !== undefined) found.push(file);
  }
  return found;
}

export function fileAt({ files }: Machine, path: string): Promise<SeenFile | undefined> {
  return ifThere(async () => {
    const { size, modifiedMs, changedMs = modifiedMs } = await files.stat(path);
    return { path, bytes: size, changedMs: Math.max(modifiedMs, changedMs) };
  }, undefined);
}
