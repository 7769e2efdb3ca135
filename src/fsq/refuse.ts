/** Items that are over without having been run: moved to fail/, with a note why. */

import type { DirectoryEntry, Machine } from '../os/ports.ts';
import type { Settled, Unreadable } from '../queue/contract.ts';
import type { Constants } from './constants.ts';
import { deathsOf } from './notes.ts';
import { join, type Place } from './place.ts';
import { noteRefusal, nowMs } from './run-notes.ts';
import { type Mover, moveToFail } from './settle.ts';
import { letGo, type Taken, take } from './take.ts';

export type Refusal = {
  readonly id: string;
  /** How often it was tried. */
  readonly attempt: number;
  readonly reason: string;
};

/** One that we have; it stays open. */
export async function refuse(mover: Mover, taken: Taken, refusal: Refusal): Promise<Settled> {
  const { settled } = await moveToFail(mover, taken);
  if (settled === 'settled') {
    await noteRefusal(mover.machine, mover.place, refusal.id, refusal.attempt, refusal.reason);
  }
  return settled;
}

/** What cannot be an item, by its name or its kind. Undefined when somebody else takes care of it, or it has gone. */
export async function refuseMalformed(
  mover: Mover,
  entry: DirectoryEntry,
  reason: string,
  options: { readonly lock?: boolean } = {},
): Promise<Unreadable | undefined> {
  const { machine, place } = mover;
  const taken = await take(machine, place.waiting, entry, options);
  if (taken.kind === 'unreadable') {
    return { path: join(place.waiting, entry.name), message: `${reason}; ${taken.message}` };
  }
  if (taken.kind !== 'taken') return undefined;
  try {
    const { settled, path } = await moveToFail(mover, taken);
    if (settled === 'lost') return undefined;
    await noteRefusal(machine, place, entry.name, 0, reason);
    return { path, message: reason };
  } finally {
    await letGo(machine, taken);
  }
}

/** Why an item is taken for what kills its scanners. */
export async function whyDeadly(
  machine: Machine,
  place: Place,
  { name }: { readonly name: string },
  maxDeaths: number,
): Promise<string | undefined> {
  const deaths = await deathsOf(machine, place, name);
  return deaths < maxDeaths
    ? undefined
    : `it was started ${deaths} times in a row, and each time its scanner died`;
}

/** Why an item is over because of its age, or undefined. */
export function tooOld(
  machine: Machine,
  { ttl }: Constants,
  { enqueuedMs }: { readonly enqueuedMs: number },
): string | undefined {
  const seconds = Math.floor((nowMs(machine) - enqueuedMs) / 1000);
  if (ttl === 0 || seconds <= ttl) return undefined;
  return `it is ${seconds} s old, and FSQ_TTL is ${ttl} s`;
}
