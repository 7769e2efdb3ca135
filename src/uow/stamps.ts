import type { Clock } from '../os/ports.ts';
import type { Stamp } from './text.ts';

/** Gives out timestamps, each behind the one before it, also when the clock is put back meanwhile. */
export function newStamps(clock: Clock): () => Stamp {
  let last: Stamp | undefined;
  return () => {
    const now = Number(clock.now().seconds);
    last =
      last === undefined || now > last.seconds
        ? { seconds: now, ordinal: 0 }
        : { seconds: last.seconds, ordinal: last.ordinal + 1 };
    return last;
  };
}
