/**
 * Makes files and the names in directories last, for many at once: whoever comes while the disk is busy waits, and all
 * who have come by the time it is free go together.
 *
 *     A         B, C                   the disk
 *     comes                            syncs for A
 *               come, one by one       (busy)
 *     goes on                          syncs for B and C, all of it at once
 */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Files } from '../os/ports.ts';
import { hasErrno } from '../os/ports.ts';
import { notDurable } from './publish.ts';

/** What is to last; the descriptors stay open until it does. */
export type Changed = {
  /** Of one file system. */
  readonly files?: readonly Descriptor[];
  readonly directories?: Iterable<string>;
};

type Round = { readonly files: Descriptor[]; readonly directories: Set<string>; done: Promise<void> };

export class GroupSync {
  readonly #files: Files;
  #last: Promise<void> = Promise.resolve();
  /** It has not begun. */
  #next: Round | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  /**
   * Throws when the disk refuses anything of what went together, and all of those are told: `not-durable` for a
   * directory, what the machine says for a file.
   */
  sync({ files = [], directories = [] }: Changed): Promise<void> {
    const round = this.#next ?? this.#newRound();
    round.files.push(...files);
    for (const directory of directories) round.directories.add(directory);
    return round.done;
  }

  #newRound(): Round {
    const round: Round = { files: [], directories: new Set(), done: this.#last };
    round.done = this.#last
      .catch(() => {}) // told to those whose round it was
      .then(() => {
        this.#next = undefined;
        return this.#run(round);
      });
    this.#last = round.done;
    this.#next = round;
    return round;
  }

  async #run({ files, directories }: Round): Promise<void> {
    const syncing = [...directories].map((directory) => this.#syncDirectory(directory));
    if (files.length > 0) syncing.push(this.#files.fsyncAll(files));
    // Nothing of it goes on when the caller is told, who then closes what it has open.
    const results = await Promise.allSettled(syncing);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #syncDirectory(directory: string): Promise<void> {
    let descriptor: Descriptor;
    try {
      descriptor = await this.#files.open(directory, 'directory');
    } catch (error) {
      // A directory that we may write to but not open is left to the file system.
      if (hasErrno(error, 'EACCES')) return;
      throw notDurable(directory, error);
    }
    try {
      await this.#files.fsyncAll([descriptor]);
    } catch (error) {
      if (hasErrno(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return;
      throw notDurable(directory, error);
    } finally {
      await closeQuietly(this.#files, descriptor);
    }
  }
}
