import type { Clock, Descriptor, LockKind, Locks } from './ports.ts';
import { sleep } from './sleep.ts';

/** Waits between two tries: short first, then longer. */
const RETRY_MS = [1, 2, 5, 10] as const;
const LAST_RETRY_MS = 20;

/**
 * flock(2), tried for at most `waitMs`; 0 means once. True when the lock is ours now. Nobody stands in a line:
 * whoever asks next after it was given up gets it.
 */
export async function acquireLock(
  { locks, clock }: { readonly locks: Locks; readonly clock: Clock },
  descriptor: Descriptor,
  kind: LockKind,
  waitMs: number,
): Promise<boolean> {
  const deadline = clock.monotonicMs() + waitMs;
  for (let attempt = 0; ; attempt++) {
    if (await locks.tryLock(descriptor, kind)) return true;
    if (clock.monotonicMs() >= deadline) return false;
    await sleep(clock, RETRY_MS[attempt] ?? LAST_RETRY_MS);
  }
}
