/** Writes items for a queue, many at once perhaps, and gives them the names by which they are found: see enqueue.ts. */

import { type Descriptor, hasErrno, type Machine, type Timestamp } from '../os/ports.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { type Durability, notDurable, syncDirectory } from '../queue/publish.ts';
import { refreshNames } from '../queue/refresh-names.ts';
import type { Constants } from './constants.ts';
import { construct } from './item-name.ts';
import { waitUntil } from './notes.ts';
import { dress, ownerOf } from './owners.ts';
import { join, NO_QUEUE_HINT, type Place } from './place.ts';
import { isKnown } from './reenqueue.ts';
import { checkSize, quietly } from './write-file.ts';

export type NewItem = {
  readonly args: readonly string[];
  /** Writes the content and returns how many bytes it was. */
  readonly write: (target: Descriptor) => Promise<number>;
  /** Milliseconds since 1970: workers of ours do not start it before. */
  readonly notBeforeMs?: number | undefined;
};

/** A file that is whole, and has no name yet by which anybody would find it. */
export type Draft = {
  readonly item: NewItem;
  readonly time: Timestamp;
  temporary: string;
  name: string;
};

/** More files than this are not held open, to be synced together; fewer where we may not have so many. */
const TOGETHER = 256;
/** So many names in a row that are taken are not by chance. */
const TRIES_LIMIT = 100_000;

export class ItemWriter {
  readonly #machine: Machine;
  readonly #place: Place;
  readonly #constants: Constants;
  readonly #durability: Durability;
  readonly #drafts: Draft[] = [];
  #open: Descriptor[] = [];

  constructor(machine: Machine, place: Place, constants: Constants, durability: Durability) {
    this.#machine = machine;
    this.#place = place;
    this.#constants = constants;
    this.#durability = durability;
  }

  async draft(item: NewItem): Promise<Draft> {
    const { clock } = this.#machine;
    const owner = await ownerOf(this.#machine, this.#constants.itemUser, this.#constants.itemGroup);
    const time = clock.now();
    const { name, target } = await this.#create(item, time);
    const draft = { item, time, temporary: join(this.#place.tmp, name), name };
    this.#drafts.push(draft);
    this.#open.push(target);
    const written = await item.write(target);
    await checkSize(this.#machine, draft.temporary, target, written);
    await dress(this.#machine, target, this.#constants.itemMode, owner);
    if (this.#open.length >= TOGETHER) await this.finish();
    return draft;
  }

  /** Gives a draft a name that nobody has, nor gets from now on: others meet it in tmp/. */
  async reserve(draft: Draft): Promise<void> {
    const { files } = this.#machine;
    while (await isKnown(this.#machine, this.#place, draft.name)) {
      const name = this.#nameFor(draft.item, draft.time);
      try {
        await files.link(draft.temporary, join(this.#place.tmp, name));
      } catch (error) {
        if (hasErrno(error, 'EEXIST')) continue;
        throw error;
      }
      await files.unlink(draft.temporary);
      draft.temporary = join(this.#place.tmp, name);
      draft.name = name;
    }
  }

  /** What was written is on disk, and closed. */
  async finish(): Promise<void> {
    const { files } = this.#machine;
    const [only, ...more] = this.#open;
    if (this.#durability === 'power-safe' && only !== undefined) {
      if (more.length === 0) await files.fsync(only);
      else await files.fsyncAll(this.#open);
    }
    for (const descriptor of this.#open.splice(0)) await files.close(descriptor);
  }

  async takeBack(): Promise<void> {
    for (const descriptor of this.#open.splice(0)) await quietly(() => this.#machine.files.close(descriptor));
    for (const { temporary } of this.#drafts) await quietly(() => this.#machine.files.unlink(temporary));
  }

  async putInPlace(): Promise<string[]> {
    const { files } = this.#machine;
    let placed = 0;
    try {
      for (const draft of this.#drafts) {
        await this.#link(draft);
        placed += 1;
      }
    } catch (error) {
      for (const { temporary } of this.#drafts) await quietly(() => files.unlink(temporary));
      if (placed === 0) throw error;
      const what = `${placed} of ${this.#drafts.length} items were added, the others not`;
      throw new QueueError('not-durable', `${this.#place.waiting}: ${what}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    // Where this fails the item is there all the same, and tmp/ is cleared now and then.
    for (const { temporary } of this.#drafts) await quietly(() => files.unlink(temporary));
    if (this.#durability === 'power-safe' && placed > 0) {
      await syncDirectory(files, this.#place.waiting, this.#place.waiting);
    }
    return this.#drafts.map(({ name }) => name);
  }

  async #create(
    item: NewItem,
    time: Timestamp,
  ): Promise<{ readonly name: string; readonly target: Descriptor }> {
    for (let tries = 0; ; tries++) {
      const name = this.#nameFor(item, time);
      try {
        return { name, target: await this.#machine.files.open(join(this.#place.tmp, name), 'create') };
      } catch (error) {
        if (hasErrno(error, 'EMFILE', 'ENFILE') && this.#open.length > 0) {
          await this.finish();
          continue;
        }
        if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw noQueue(this.#place, error);
        if (!hasErrno(error, 'EEXIST') || tries > TRIES_LIMIT) throw error;
      }
    }
  }

  async #link(draft: Draft): Promise<void> {
    const { files } = this.#machine;
    for (let tries = 0; ; tries++) {
      if (draft.item.notBeforeMs !== undefined) {
        await waitUntil(this.#machine, this.#place, draft.name, draft.item.notBeforeMs);
      }
      const path = join(this.#place.waiting, draft.name);
      try {
        await files.link(draft.temporary, path);
        return;
      } catch (error) {
        if (await isLinked(this.#machine, this.#place, draft.temporary, path, error)) return;
        if (!hasErrno(error, 'EEXIST') || tries > TRIES_LIMIT) throw error;
      }
      draft.name = this.#nameFor(draft.item, draft.time);
    }
  }

  #nameFor({ args }: NewItem, time: Timestamp): string {
    const { clock, host } = this.#machine;
    return construct(
      {
        time: this.#constants.timeFormat.write(time, clock),
        entropy: nextEntropy(this.#machine),
        pid: host.pid,
        host: host.name,
        tries: 0,
        args,
      },
      this.#constants,
    );
  }
}

/**
 * Whether a link that reported failure was made all the same: over a network it is the reply that can get lost, and asked
 * again the server says EEXIST. Throws `not-durable` when nobody can tell.
 *
 *     we                             server                     a scanner elsewhere
 *     link                           done; the reply gets lost
 *                                                               runs the item, moves it to done/
 *     look up queue/NAME: not there
 */
async function isLinked(
  { files }: Machine,
  { waiting }: Place,
  temporary: string,
  path: string,
  cause: unknown,
): Promise<boolean> {
  if (hasErrno(cause, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EMLINK', 'EXDEV')) return false;
  try {
    await refreshNames(files, waiting);
    const { inode } = await files.stat(path);
    return inode === (await files.stat(temporary)).inode;
  } catch (error) {
    // A name that was taken, and is free now: somebody had it who is done with it.
    throw notDurable(path, hasErrno(error, 'ENOENT') ? cause : error);
  }
}

/** What this process has counted to: a second item with a name that was given before could be taken for the first. */
const counted = new WeakMap<Machine, { next: number }>();

function nextEntropy(machine: Machine): number {
  const counter = counted.get(machine) ?? { next: 0 };
  counted.set(machine, counter);
  return counter.next++;
}

function noQueue({ directory }: Place, cause: unknown): QueueError {
  return new QueueError('not-a-queue', `${directory}: it has no such directories as a queue of fsq`, {
    cause,
    hint: NO_QUEUE_HINT,
  });
}
