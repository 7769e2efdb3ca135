/**
 * What a Monitor that died, or a power cut, has left. Only with the lock of the root held: nothing runs then, for the watchdog
 * of a dead Monitor keeps its lock until its jobs are gone.
 */

import { unlinkIfThere } from '../os/if-there.ts';
import type { Machine } from '../os/ports.ts';
import { syncDirectory } from '../queue/publish.ts';
import { inodeOf, moveFile } from './move.ts';
import { recoverPrepared } from './prepare.ts';
import { INCOMING, join, type Root, SETTLED } from './root.ts';
import { placeOf } from './run.ts';
import { endedStatus, statusKind } from './status.ts';
import { statusBytes } from './text.ts';
import { listQueue, seeUnit } from './unit-files.ts';

export type Recovered =
  | { readonly kind: 'half-run' | 'over'; readonly name: string; readonly path: string }
  /** It lay under two names, of which this one was removed. */
  | { readonly kind: 'doubled'; readonly name: string; readonly path: string }
  | { readonly kind: 'edit'; readonly name: string; readonly path: string };

const HALF_RUN = 'its Monitor ended while it ran, and nobody knows how far it came';

/** `onHalfRun` is told of a unit that will not be run again, before it is moved; when we die in between, once more. */
export async function recover(
  machine: Machine,
  root: Root,
  onHalfRun: (name: string, path: string, reason: string) => Promise<void> = async () => {},
): Promise<Recovered[]> {
  const { places } = root;
  const recovered: Recovered[] = [];
  for (const place of INCOMING) {
    const waiting = { directory: places[place], trash: places.trash };
    for (const name of await recoverPrepared(machine, waiting)) {
      recovered.push({ kind: 'edit', name, path: join(places[place], name) });
    }
  }
  recovered.push(...(await removeDoubles(machine, root)));
  const here = places['currently-executing'];
  for (const name of (await listQueue(machine, here)).units) {
    const seen = await seeUnit(machine, join(here, name));
    if (seen.kind !== 'unit') continue;
    const kind = statusKind(seen.unit.status);
    if (kind === 'waiting') continue; // it was claimed, and not begun
    if (kind === 'running') {
      await onHalfRun(name, join(here, name), HALF_RUN);
      const status = endedStatus('fail', HALF_RUN, machine.clock.now());
      await overwrite(machine, join(here, name), seen.unit.slot, status);
    }
    const target = places[placeOf(kind === 'running' ? 'fail' : kind)];
    const path = await moveFile(machine, { directory: here, name }, target);
    if (path !== undefined) recovered.push({ kind: kind === 'running' ? 'half-run' : 'over', name, path });
  }
  return recovered;
}

/** A status that somebody has made too short to be written over is left: where the file lies says enough. */
async function overwrite(
  { files }: Machine,
  path: string,
  slot: { readonly at: number; readonly bytes: number } | undefined,
  status: string,
): Promise<void> {
  if (slot === undefined) return;
  const file = await files.open(path, 'lock-present');
  try {
    await files.writeAt(file, statusBytes(status, slot.bytes), slot.at);
    await files.fsync(file);
  } finally {
    await files.close(file);
  }
}

/** From where a unit is moved to where it comes to lie: what is under two names has been on its way. */
const WAY = [...INCOMING, 'currently-executing', ...SETTLED, 'trash'] as const;

async function removeDoubles(machine: Machine, root: Root): Promise<Recovered[]> {
  const removed: Recovered[] = [];
  for (const place of [...INCOMING, 'currently-executing'] as const) {
    const directory = root.places[place];
    const later = WAY.slice(WAY.indexOf(place) + 1);
    for (const name of (await listQueue(machine, directory)).units) {
      const path = join(directory, name);
      if (!(await isFurtherOn(machine, root, path, name, later))) continue;
      await unlinkIfThere(machine, path);
      await syncDirectory(machine.files, directory, path);
      removed.push({ kind: 'doubled', name, path });
    }
  }
  return removed;
}

/** Whether the same file lies in a later place, under this name or with a suffix. */
async function isFurtherOn(
  machine: Machine,
  root: Root,
  path: string,
  name: string,
  places: readonly (typeof WAY)[number][],
): Promise<boolean> {
  const inode = await inodeOf(machine, path);
  if (inode === undefined) return false;
  for (const place of places) {
    const directory = root.places[place];
    for (const entry of await machine.files.readdir(directory)) {
      if (entry.kind !== 'file' || !entry.name.startsWith(name)) continue;
      if ((await inodeOf(machine, join(directory, entry.name))) === inode) return true;
    }
  }
  return false;
}
