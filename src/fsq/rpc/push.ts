/**
 * Sending items of a host's part of a queue to that host. An item stays until the receiver has said that it has it for
 * good; what is broken off in between is sent again, and taken once: see receive.ts.
 */

import type { Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { SharedSync } from '../../queue/shared-sync.ts';
import type { Constants } from '../constants.ts';
import { isDown, join, type Place } from '../place.ts';
import { type Moved, moveToDone } from '../settle.ts';
import { letGo, take } from '../take.ts';
import { call, type Remote, sendItem } from './client.ts';

export type PushOptions = {
  readonly ignoreDown: boolean;
  /** False: somebody else has the items locked, and says what becomes of them. */
  readonly lock: boolean;
};

/** `busy`: another has it. `gone`: it is not there. */
export type Pushed = { readonly name: string; readonly outcome: 'sent' | 'busy' | 'gone' };

/** Throws `not-delivered` at the first item that the receiver did not take. */
export async function* push(
  machine: Machine,
  place: Place,
  constants: Constants,
  remote: Remote,
  target: string,
  names: readonly string[],
  options: PushOptions,
): AsyncGenerator<Pushed, void> {
  if (!options.ignoreDown) {
    if (await isDown(machine, place)) throw new QueueError('not-delivered', `${place.directory}: it is down`);
    if ((await call(machine, remote, 'is_down', [target])) === true) {
      throw new QueueError('not-delivered', `${remote.url}: ${target} is down there`);
    }
  }
  for (const name of names) {
    const outcome = await pushOne(machine, place, { ...constants, lock: options.lock }, remote, target, name);
    yield { name, outcome };
  }
}

async function pushOne(
  machine: Machine,
  place: Place,
  { lock }: Constants,
  remote: Remote,
  target: string,
  name: string,
): Promise<Pushed['outcome']> {
  const taken = await take(machine, place.waiting, { name, kind: 'file' }, { lock });
  if (taken.kind === 'unreadable') {
    throw new QueueError('not-delivered', `${join(place.waiting, name)}: ${taken.message}`);
  }
  if (taken.kind !== 'taken') return taken.kind;
  const sync = new SharedSync(machine.files);
  try {
    await sendItem(machine, remote, { id: name, queue: target, path: join(place.waiting, name) });
    if (!lock) return 'sent';
    const { settled }: Moved = await moveToDone({ machine, place, sync }, taken);
    return settled === 'settled' ? 'sent' : 'gone';
  } finally {
    await letGo(machine, taken);
    await sync.close();
  }
}
