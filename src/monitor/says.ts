/** What the Monitor says: each sentence is a line of `monitor_says`, with the time before it. */

import { encodeBytes } from '../os/bytes.ts';
import { formatUtc } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import { printable } from '../os/printable.ts';
import { reasonOf } from '../queue/errors.ts';

export type Says = {
  say(sentence: string): Promise<void>;
  /** The same, but once only for as long as it is said again in each turn. */
  complain(sentence: string): Promise<void>;
  /** A turn is over: what was not complained of in it may be complained of again. */
  turn(): void;
};

/** `onSaid` is told too; also that a sentence could not be written down. */
export function newSays(machine: Machine, path: string, onSaid: (sentence: string) => void): Says {
  const { files, clock } = machine;
  let before = new Set<string>();
  let now = new Set<string>();
  const say = async (sentence: string): Promise<void> => {
    onSaid(sentence);
    try {
      const target = await files.open(path, 'append');
      try {
        await files.write(target, encodeBytes(`${formatUtc(clock.now())} ${printable(sentence)}\n`));
      } finally {
        await files.close(target);
      }
    } catch (error) {
      onSaid(`${path}: it cannot be written: ${reasonOf(error)}`);
    }
  };
  return {
    say,
    complain: async (sentence) => {
      const isNew = !before.has(sentence) && !now.has(sentence);
      now.add(sentence);
      if (isNew) await say(sentence);
    },
    turn: () => {
      before = now;
      now = new Set();
    },
  };
}
