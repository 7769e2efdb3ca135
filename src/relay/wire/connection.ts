/** A way to another relay: a pipe to it and one from it. */

import { type Machine, STDIN, STDOUT } from '../../os/ports.ts';
import type { Pipes } from './link.ts';

export type Connection = Pipes & {
  /** Sees to it that the other side ends, with force after a while; `closed` resolves when both pipes are. */
  end(closed: Promise<void>): Promise<Ended>;
  /** Breaks it off at once. */
  cut(): void;
};

export type Ended = {
  /** The exit status of the other side, where it is known. */
  readonly status?: number | undefined;
  /** A sentence, when it was not ours. */
  readonly why?: string | undefined;
};

/** How long the other side has to end when nobody talks to it any more. */
export const END_MS = 5000;

/**
 * To whoever has started us. When that does not hang up we die all the same: a read that waits cannot be given up, and
 * Node does not exit before it is done.
 */
export function ownPipes({ clock, host }: Machine): Connection {
  const cut = () => host.dieOf('SIGTERM');
  return {
    input: STDIN,
    output: STDOUT,
    lasting: true,
    end: async (closed) => {
      const callOff = clock.after(END_MS, cut);
      await closed;
      callOff();
      return {};
    },
    cut,
  };
}
