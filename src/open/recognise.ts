/**
 * Which layout a queue has: what its location begins with, or a few names in its directory. No file is opened, none
 * listed, and nobody is asked over a network.
 */

import { ifThere, isThere } from '../os/if-there.ts';
import type { FileKind, Machine } from '../os/ports.ts';
import type { Layout } from '../queue/layout.ts';
import { LAYOUTS } from './layouts.ts';

/** Undefined when it is no queue. Throws a SystemError when the system does not let us look. */
export async function recognise(machine: Machine, path: string): Promise<Layout | undefined> {
  const remote = LAYOUTS.find(({ scheme }) => scheme !== undefined && path.startsWith(`${scheme}//`));
  if (remote !== undefined) return remote;
  for (const layout of LAYOUTS) {
    for (const mark of layout.marks) if (await hasDirectories(machine, path, mark)) return layout;
  }
  return undefined;
}

/** The same for what may be a damaged queue. */
export async function recogniseRemains(machine: Machine, path: string): Promise<Layout | undefined> {
  const whole = await recognise(machine, path);
  if (whole !== undefined) return whole;
  for (const layout of LAYOUTS) {
    for (const name of layout.remains ?? []) if (await isThere(machine, `${path}/${name}`)) return layout;
  }
  return undefined;
}

/** Whether jobs can be run there, and not only be added and listed. */
export async function canBeWorked(machine: Machine, path: string, { worked = [] }: Layout): Promise<boolean> {
  if (worked === 'never') return false;
  for (const name of worked) if (!(await isThere(machine, `${path}/${name}`))) return false;
  return true;
}

async function hasDirectories(machine: Machine, path: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    if ((await kindOf(machine, `${path}/${name}`)) !== 'directory') return false;
  }
  return true;
}

function kindOf({ files }: Machine, path: string): Promise<FileKind | undefined> {
  return ifThere<FileKind | undefined>(async () => (await files.stat(path)).kind, undefined);
}
