import { describe, expect, it } from 'vitest';
import type { SystemError, Watches, WatchListener } from '../../src/os/ports.ts';
import { Changes } from '../../src/queue/changes.ts';
import { systemError } from '../support/faulty-files.ts';
import { alarmClock } from '../support/machines.ts';

const never = new AbortController().signal;
const SECOND = 1000;

/** What was to be watched, and events at will. */
function watchesByHand() {
  let listener: WatchListener | undefined;
  let ended = 0;
  const watches: Watches = {
    watch: (_directory, told) => {
      listener = told;
      return () => {
        ended += 1;
      };
    },
  };
  return {
    watches,
    event: () => listener?.onChange(),
    lose: () => listener?.onLost(lost),
    ended: () => ended,
  };
}

const lost: SystemError = Object.assign(new Error('lost'), { code: 'ENOENT', syscall: 'watch' });

async function changesOf(watches: Watches) {
  const clock = alarmClock();
  const changes = new Changes({ watches, clock });
  await changes.watch('/q/jobs');
  return { changes, clock };
}

describe('waiting for changes', () => {
  it('ends for all who wait, not only for the last who came', async () => {
    const { watches, event } = watchesByHand();
    const { changes } = await changesOf(watches);
    const woken: number[] = [];
    const all = [1, 2, 3].map((n) => changes.wait(SECOND, never).then(() => woken.push(n)));
    event();
    await Promise.all(all);
    expect(woken).toEqual([1, 2, 3]);
  });

  it.each(['wake', 'tell', 'end'] as const)(
    'ends by %s, for all, and sets no timer that stays',
    async (how) => {
      const { changes, clock } = await changesOf(watchesByHand().watches);
      const all = [changes.wait(SECOND, never), changes.wait(SECOND, never)];
      changes[how]();
      await Promise.all(all);
      expect(clock.ring(SECOND)).toBe(0);
    },
  );

  it('ends when the time is over, or when told to stop', async () => {
    const { changes, clock } = await changesOf(watchesByHand().watches);
    const stop = new AbortController();
    const all = [changes.wait(6.5, never), changes.wait(SECOND, stop.signal)];
    clock.ring(7);
    stop.abort();
    await Promise.all(all);
    expect(clock.ring(SECOND)).toBe(0);
  });

  it('takes a time that is past for none', async () => {
    const { changes, clock } = await changesOf(watchesByHand().watches);
    const waited = changes.wait(-5, never);
    clock.ring(0);
    await waited;
  });
});

describe('resting until a look is worth it', () => {
  const FREE = { isPaused: false, restMs: 0, nextStartMs: undefined };

  it('is over at once when somebody has told, and a look is affordable', async () => {
    const { changes, clock } = await changesOf(watchesByHand().watches);
    await changes.untilWorthALook(6 * SECOND, never, FREE);
    expect(clock.ring(SECOND)).toBe(0);
  });

  it.each([
    ['until a look is affordable', { ...FREE, restMs: 300 }, true, 300],
    ['a poll when the queue is paused, whatever was told', { ...FREE, isPaused: true }, true, SECOND],
    ['a poll when nobody has told', FREE, false, SECOND],
    ['until the first delayed job may start', { ...FREE, nextStartMs: 40_250 }, false, 250],
    ['no longer than it was asked to', { ...FREE, nextStartMs: 90_000 }, false, SECOND],
  ])('waits %s', async (_, rest, told, ms) => {
    const { watches } = watchesByHand();
    const clock = { ...alarmClock(), now: () => ({ seconds: 40n, nanos: 0 }) };
    const changes = new Changes({ watches, clock });
    await changes.watch('/q/jobs');
    if (!told) changes.beginLook();
    const resting = changes.untilWorthALook(6 * SECOND, never, rest);
    expect(clock.ring(ms)).toBe(1);
    await resting;
  });
});

describe('what is known of changes', () => {
  it('is stale at first and after an event, until a look begins', async () => {
    const { watches, event } = watchesByHand();
    const { changes } = await changesOf(watches);
    expect(changes.isStale).toBe(true);
    changes.beginLook();
    expect(changes.isStale).toBe(false);
    event();
    expect(changes.isStale).toBe(true);
  });

  it('is not made stale by what only wakes', async () => {
    const { changes } = await changesOf(watchesByHand().watches);
    changes.beginLook();
    changes.wake();
    expect(changes.isStale).toBe(false);
    changes.tell();
    expect(changes.isStale).toBe(true);
  });

  it('ends with the watch', async () => {
    const { watches, ended } = watchesByHand();
    const { changes } = await changesOf(watches);
    changes.end();
    expect(ended()).toBe(1);
  });
});

describe('whether events arrive', () => {
  const polls = async (
    { changes, clock }: Awaited<ReturnType<typeof changesOf>>,
    count: number,
    ms: number = SECOND,
  ) => {
    for (let n = 0; n < count; n++) {
      const waited = changes.wait(ms, never);
      clock.ring(ms);
      await waited;
    }
  };
  const shown = ({ changes }: Awaited<ReturnType<typeof changesOf>>) => [
    changes.eventsArrive,
    changes.areTold,
    changes.pollMs,
  ];
  const UNTRIED = [undefined, true, SECOND];
  const HEARD = [true, true, SECOND];
  const DEAF = [false, false, 200];

  it('is not known as long as nothing was to be told', async () => {
    const ground = await changesOf(watchesByHand().watches);
    await polls(ground, 5);
    expect(shown(ground)).toEqual(UNTRIED);
  });

  it('shows when one does', async () => {
    const { watches, event } = watchesByHand();
    const ground = await changesOf(watches);
    event();
    expect(shown(ground)).toEqual(HEARD);
  });

  it('is doubted when what we did ourselves is not told, and not at the first wait', async () => {
    const ground = await changesOf(watchesByHand().watches);
    ground.changes.madeOne();
    await polls(ground, 1);
    expect(shown(ground)).toEqual(UNTRIED);
    await polls(ground, 1);
    expect(shown(ground)).toEqual(DEAF);
  });

  it('is not doubted for waits that were short', async () => {
    const ground = await changesOf(watchesByHand().watches);
    ground.changes.madeOne();
    await polls(ground, 5, SECOND - 1);
    expect(shown(ground)).toEqual(UNTRIED);
  });

  it('is not doubted when it was told in time', async () => {
    const { watches, event } = watchesByHand();
    const ground = await changesOf(watches);
    for (const _ of [1, 2, 3]) {
      ground.changes.madeOne();
      await polls(ground, 1);
      event();
      await polls(ground, 1);
    }
    expect(shown(ground)).toEqual(HEARD);
  });

  it('is believed again when an event comes after all', async () => {
    const { watches, event } = watchesByHand();
    const ground = await changesOf(watches);
    ground.changes.madeOne();
    await polls(ground, 2);
    event();
    expect(shown(ground)).toEqual(HEARD);
  });

  it.each(['ENOSPC', 'EMFILE', 'ENOSYS', 'ENOTSUP'])(
    'is known where there are none to be had: %s',
    async (code) => {
      const ground = await changesOf({
        watch: () => {
          throw systemError(code, 'watch', '/q/jobs');
        },
      });
      expect(shown(ground)).toEqual(DEAF);
      ground.changes.madeOne();
      ground.changes.end();
    },
  );

  it('is no question where the directory is not there', async () => {
    const watches: Watches = {
      watch: () => {
        throw lost;
      },
    };
    await expect(changesOf(watches)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends when the directory is another one by now; whoever waits looks', async () => {
    const { watches, lose } = watchesByHand();
    const ground = await changesOf(watches);
    ground.changes.beginLook();
    const waited = ground.changes.wait(SECOND, never);
    lose();
    await waited;
    expect(ground.changes.isStale).toBe(true);
    expect(shown(ground)).toEqual(DEAF);
  });
});
