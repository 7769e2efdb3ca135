/** File events: what lets a waiting worker start at once. */

import { hasErrno } from '../../os/ports.ts';
import { put } from '../bench.ts';
import { fails, holds, type Outcome, type Probe } from '../probe.ts';

const PATIENCE_MS = 1000;

export const events: Probe = {
  name: 'events',
  title: 'file events',
  measure: async (bench) => {
    const { watches, clock } = bench.machine;
    let heard = (_outcome: Outcome) => {};
    const outcome = new Promise<Outcome>((resolve) => {
      heard = resolve;
    });
    const callOff = clock.after(PATIENCE_MS, () => heard(fails(`none came within ${PATIENCE_MS} ms`)));
    const began = clock.monotonicMs();
    let end: () => void;
    try {
      end = await watches.watch(bench.directory, {
        onChange: () => {
          const tookMs = Math.round(clock.monotonicMs() - began);
          heard(holds(`a new file was told within ${tookMs} ms`, { tookMs }));
        },
        onLost: ({ message }) => heard(fails(message)),
      });
    } catch (error) {
      callOff();
      if (hasErrno(error, 'ENOSPC', 'EMFILE')) {
        return fails(
          'this user has used up what the kernel allows (fs.inotify.max_user_watches and _instances)',
        );
      }
      if (hasErrno(error, 'ENOSYS', 'ENOTSUP', 'EINVAL')) return fails('there are none');
      throw error;
    }
    try {
      await put(bench, 'event');
      return await outcome;
    } finally {
      callOff();
      end();
    }
  },
};
