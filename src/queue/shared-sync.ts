/** Makes the names in directories last, for many at once: whoever comes while the disk is busy shares the next sync. */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Files } from '../os/ports.ts';
import { hasErrno } from '../os/ports.ts';
import { notDurable } from './publish.ts';

type Syncing = {
  readonly descriptor: Descriptor | undefined;
  running: Promise<void> | undefined;
  /** Begins when `running` has ended: what was changed until then is in it. */
  next: Promise<void> | undefined;
};

/** How names are made to last: by `SharedSync`, or not at all. */
export type NameSync = Pick<SharedSync, 'sync' | 'close'>;

/** For level crash-safe: the kernel keeps them, as long as there is power. */
export const NO_SYNC: NameSync = { sync: async () => {}, close: async () => {} };

export class SharedSync {
  readonly #files: Files;
  readonly #directories = new Map<string, Promise<Syncing>>();

  constructor(files: Files) {
    this.#files = files;
  }

  /**
   * Throws `not-durable` when the disk refuses. `isAlone`: this process has nothing else to do until it is done, so no
   * thread is woken for it, which costs more than a quick disk.
   */
  async sync(directory: string, { isAlone = false }: { readonly isAlone?: boolean } = {}): Promise<void> {
    let opening = this.#directories.get(directory);
    if (opening === undefined) {
      opening = this.#open(directory);
      this.#directories.set(directory, opening);
    }
    const syncing = await opening;
    if (syncing.descriptor === undefined) return;
    try {
      await this.#share(syncing, syncing.descriptor, isAlone);
    } catch (error) {
      if (hasErrno(error, 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) return;
      throw notDurable(directory, error);
    }
  }

  #share(syncing: Syncing, descriptor: Descriptor, isAlone: boolean): Promise<void> {
    if (syncing.running === undefined) {
      const begun = isAlone ? this.#syncHere(descriptor) : this.#files.fsyncAll([descriptor]);
      syncing.running = begun.finally(() => {
        syncing.running = undefined;
      });
      return syncing.running;
    }
    syncing.next ??= syncing.running
      .catch(() => {}) // told to those who waited for that one
      .then(() => {
        syncing.next = undefined;
        return this.#share(syncing, descriptor, false);
      });
    return syncing.next;
  }

  async #syncHere(descriptor: Descriptor): Promise<void> {
    await this.#files.fsync(descriptor);
  }

  async close(): Promise<void> {
    for (const opening of this.#directories.values()) {
      const { descriptor } = await opening.catch(() => ({ descriptor: undefined }));
      if (descriptor !== undefined) await closeQuietly(this.#files, descriptor);
    }
    this.#directories.clear();
  }

  async #open(directory: string): Promise<Syncing> {
    let descriptor: Descriptor | undefined;
    try {
      descriptor = await this.#files.open(directory, 'directory');
    } catch (error) {
      this.#directories.delete(directory);
      // A directory that we may write to but not open is left to the file system.
      if (!hasErrno(error, 'EACCES')) throw notDurable(directory, error);
    }
    return { descriptor, running: undefined, next: undefined };
  }
}
