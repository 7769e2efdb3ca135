/**
 * The way of one scanner through what it has listed: from the oldest on, and out of the way of others.
 *
 *     we                    another scanner        the list
 *                           takes A                A B C D E F ...
 *     A is locked: take B
 *                           A is done; B is locked: takes C
 *     B is done; C is locked: ...                  <- without leaps both try everything, and meet at each item
 *     C is locked: leap to F
 *                           takes D, E
 *     take F, G, H
 *                           F is gone: leaps to H
 *
 * What was leapt over is looked for at the end of the list: nearly all of it will be gone, and that whose scanner has died is
 * not. Where items take their time nobody leaps, and who has leapt goes back: then the order is worth more than what it
 * costs to try each.
 */

import type { Machine } from '../os/ports.ts';
import type { Listed } from './listing.ts';
import { join } from './place.ts';
import { type NotTaken, type Taken, type TakeOptions, take } from './take.ts';

/** As far as the order of items may suffer from there being several scanners. */
const LONGEST_LEAP = 64;
/** Items that take longer are worth their order. */
const QUICK_MS = 50;

export class Course {
  readonly #machine: Machine;
  readonly #directory: string;
  readonly #options: TakeOptions;
  readonly #listed: readonly Listed[];
  /** What we go through now: all of the list, or what was leapt over. */
  #items: readonly Listed[];
  #at = 0;
  #leaptOver: Listed[] = [];
  #tookAtMs = Number.NEGATIVE_INFINITY;
  /** How many in a row were gone: somebody has just been where we are, so what comes next may be gone too. */
  #gone = 0;

  constructor(machine: Machine, directory: string, items: readonly Listed[], options: TakeOptions) {
    this.#machine = machine;
    this.#directory = directory;
    this.#listed = items;
    this.#items = items;
    this.#options = options;
  }

  async next(): Promise<Listed | undefined> {
    for (;;) {
      const isAtEnd = this.#at >= this.#items.length;
      if (this.#leaptOver.length > 0 && (isAtEnd || !this.#isQuick())) await this.#goBack(isAtEnd);
      else if (isAtEnd) return undefined;
      const listed = this.#items[this.#at];
      if (listed === undefined) continue;
      this.#at += 1;
      if (this.#gone === 0 || (await this.#isThere(listed))) return listed;
      this.#gone += 1;
      this.#leap(2 ** this.#gone);
    }
  }

  /** The one that `next` gave last. */
  async take({ entry }: Listed): Promise<Taken | NotTaken> {
    const taken = await take(this.#machine, this.#directory, entry, this.#options);
    this.#gone = taken.kind === 'gone' ? this.#gone + 1 : 0;
    if (taken.kind === 'taken') this.#tookAtMs = this.#machine.clock.monotonicMs();
    if (taken.kind === 'busy') this.#leap(this.#draw());
    return taken;
  }

  /** To one that waits again, if it is in the list and we are past it. */
  returnTo(name: string): void {
    const isMeant = ({ item }: Listed) => item.name === name;
    const at = this.#items.findIndex(isMeant);
    if (at >= 0) this.#at = Math.min(this.#at, at);
    else this.#leaptOver.push(...this.#listed.filter(isMeant));
  }

  #isQuick(): boolean {
    return this.#machine.clock.monotonicMs() - this.#tookAtMs < QUICK_MS;
  }

  #leap(length: number): void {
    const to = this.#at + Math.min(length, LONGEST_LEAP);
    // Near the end there is nothing to leap to.
    if (to >= this.#items.length || !this.#isQuick()) return;
    for (const listed of this.#items.slice(this.#at, to)) this.#leaptOver.push(listed);
    this.#at = to;
  }

  #draw(): number {
    return Number.parseInt(this.#machine.random.uuid().slice(0, 8), 16) % LONGEST_LEAP;
  }

  /** To what was leapt over; at the end, when it is much and nearly all of it gone, one listing tells what is there. */
  async #goBack(isAtEnd: boolean): Promise<void> {
    let back = this.#leaptOver.splice(0);
    if (isAtEnd && back.length > LONGEST_LEAP) {
      const names = new Set((await this.#machine.files.readdir(this.#directory)).map(({ name }) => name));
      back = back.filter(({ entry }) => names.has(entry.name));
    }
    this.#items = [...back, ...this.#items.slice(this.#at)];
    this.#at = 0;
    this.#gone = 1;
  }

  /** To look costs a quarter of an open that fails. */
  async #isThere({ entry }: Listed): Promise<boolean> {
    if (entry.kind === 'link') return true; // to nothing, perhaps
    return this.#machine.files.exists(join(this.#directory, entry.name));
  }
}
