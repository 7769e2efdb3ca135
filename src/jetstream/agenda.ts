/**
 * Which job is the next to start. A job is put down here whenever it may have become one that can; whether it can is
 * asked when its turn comes, so what has changed meanwhile needs no taking out.
 */

import TinyQueue from 'tinyqueue';
import type { Entry, Picture } from './picture.ts';
import { byTurn, standingOf } from './standing.ts';

type Later = { readonly entry: Entry; readonly dueMs: number };

export class Agenda {
  readonly #picture: Picture;
  readonly #ready = new TinyQueue<Entry>([], byTurn);
  readonly #later = new TinyQueue<Later>([], (a, b) => a.dueMs - b.dueMs);

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  /** When the first of those becomes due that wait for their time. */
  get nextDueMs(): number {
    return this.#later.peek()?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Something about it has changed: it, or the next of its lane, may be able to start. */
  note(entry: Entry, nowMs: number): void {
    const head = entry.job.lane === undefined ? entry : this.#picture.headOf(entry.job.lane);
    if (head?.state.place !== 'waiting') return;
    // One that waits behind another does not make that the first, which it was before.
    if (head !== entry && entry.state.place === 'waiting') return;
    const { untilMs } = head.state;
    if (untilMs > nowMs) this.#later.push({ entry: head, dueMs: untilMs });
    else this.#ready.push(head);
  }

  /** The next that can start; it is not here any more then. */
  take(nowMs: number): Entry | undefined {
    for (let first = this.#later.peek(); first !== undefined && first.dueMs <= nowMs; ) {
      this.#later.pop();
      this.#ready.push(first.entry);
      first = this.#later.peek();
    }
    for (let entry = this.#ready.pop(); entry !== undefined; entry = this.#ready.pop()) {
      if (entry.state.place !== 'waiting') continue;
      const standing = standingOf(this.#picture, entry, nowMs);
      if (standing.kind === 'ready') return entry;
      if (standing.kind === 'delayed') this.#later.push({ entry, dueMs: standing.untilMs });
    }
    return undefined;
  }
}
