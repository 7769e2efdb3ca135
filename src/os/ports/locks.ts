/** Locks on files. */

import type { Descriptor, Step } from './step.ts';

export type LockKind = 'exclusive' | 'shared';

export interface Locks {
  /**
   * flock(2) without waiting: true when the lock is ours now, false when another open file holds it. The
   * lock belongs to the open file description, so a child that inherits the descriptor shares it.
   */
  tryLock(descriptor: Descriptor, kind: LockKind): Step<boolean>;
  /** Gives the lock up for every holder of this open file description, heirs included. */
  unlock(descriptor: Descriptor): Step<void>;
}
