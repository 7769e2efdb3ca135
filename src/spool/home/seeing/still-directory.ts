/**
 * Whether the names in a directory are those that were listed last, by its time of change alone: 100,000 of them need not
 * be listed again where nothing happens.
 *
 * File systems tell that time in ticks, some of seconds, so the same time alone says nothing:
 *
 *     we                                    somebody else
 *     --                                    -------------
 *     stat: changed at 5
 *     list
 *                                           adds a name: changed at 5, the tick is not over
 *     stat: changed at 5, and a name is new
 *
 * A listing is believed only when it began some seconds after we had first seen that time: a change after it is in another
 * tick. These seconds are by our clock, and the time is only compared with itself, so it may be by that of another host.
 * (Of a network file system the listing and the time come from one cache: neither is older than the other.)
 */

import type { Machine } from '../../../os/ports.ts';

/** Longer than any tick: that of FAT is 2 s. */
const LONGEST_TICK_MS = 3000;
/** Somebody may have set a clock back. */
const LIST_ANYWAY_MS = 15_000;

type Standstill = { readonly mark: string; readonly sinceMs: number; readonly listedMs: number };

export class StillDirectory {
  readonly #machine: Machine;
  readonly #path: string;
  #last: Standstill | undefined;

  constructor(machine: Machine, path: string) {
    this.#machine = machine;
    this.#path = path;
  }

  /** If not, the caller lists it now. */
  async isAsListed(): Promise<boolean> {
    const nowMs = this.#machine.clock.monotonicMs();
    const { inode, modifiedMs } = await this.#machine.files.stat(this.#path);
    const mark = `${inode} ${modifiedMs}`;
    const last = this.#last;
    if (last?.mark !== mark) {
      this.#last = { mark, sinceMs: nowMs, listedMs: nowMs };
      return false;
    }
    const isBelieved = last.listedMs - last.sinceMs > LONGEST_TICK_MS;
    if (isBelieved && nowMs - last.listedMs < LIST_ANYWAY_MS) return true;
    this.#last = { ...last, listedMs: nowMs };
    return false;
  }
}
