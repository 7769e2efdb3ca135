/** Which queues a pool works: asked at the start and, when it keeps waiting, again and again. */

import type { Clock } from '../os/ports.ts';
import type { Queue } from '../queue/contract.ts';
import type { Member } from './member.ts';

/**
 * Which queues there are now, asked at the start and, when we keep waiting, again and again. Those of the same location
 * are the same; one that is not named any more is left when none of its jobs runs.
 */
export type FindQueues = () => Promise<readonly Queue[]>;

export type RosterParts = {
  readonly clock: Clock;
  readonly queues: readonly Queue[] | FindQueues;
  readonly keepWaiting: boolean;
  readonly newMember: (queue: Queue) => Member;
  readonly everyMs: () => number;
  /** Told when it is time to ask again. */
  readonly onDue: () => void;
};

export class Roster {
  readonly members: Member[] = [];
  readonly #parts: RosterParts;
  #isDue = true;
  #stopLooking: () => void = () => {};

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** Asks which queues there are, when it is time to. */
  async refresh(): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    const { queues, newMember } = this.#parts;
    const found = typeof queues === 'function' ? await queues() : queues;
    const known = new Set(this.members.map(({ queue }) => queue.location));
    for (const queue of found) {
      if (!known.has(queue.location)) this.members.push(newMember(queue));
      known.add(queue.location);
    }
    if (typeof queues !== 'function') return;
    await this.#leaveAllBut(new Set(found.map(({ location }) => location)));
    this.#lookLater();
  }

  end(): void {
    this.#stopLooking();
  }

  async #leaveAllBut(named: ReadonlySet<string>): Promise<void> {
    for (const member of this.members.filter(({ queue }) => !named.has(queue.location))) {
      if (member.isRunning || member.isJoining) continue;
      await member.leave().catch(() => {}); // it is not there any more
      this.members.splice(this.members.indexOf(member), 1);
    }
  }

  #lookLater(): void {
    const { clock, keepWaiting, everyMs, onDue } = this.#parts;
    if (!keepWaiting) return;
    this.#stopLooking = clock.after(everyMs(), () => {
      this.#isDue = true;
      onDue();
    });
  }
}
