import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock, Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue, SharedClaim } from '../../src/queue/contract.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';
import { type Place, type PoolOptions, type PoolReport, type Ran, runPool } from '../../src/worker/pool.ts';
import { faultyFiles } from '../support/faulty-files.ts';
import { homeQueue, namesIn, param } from '../support/home.ts';
import { machineWith, shiftedClock } from '../support/machines.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const never = new AbortController().signal;

/** A clock that can be put forward, and knows how many timers are set. */
function countedClock(): Clock & { advance(ms: number): void; readonly set: Set<number> } {
  const clock = shiftedClock();
  const set = new Set<number>();
  let count = 0;
  return {
    ...clock,
    set,
    after: (ms, action) => {
      const id = count++;
      set.add(id);
      const cancel = clock.after(ms, () => {
        set.delete(id);
        action();
      });
      return () => {
        set.delete(id);
        cancel();
      };
    },
  };
}

let clock: ReturnType<typeof countedClock>;
let machine: Machine;

beforeEach(() => {
  clock = countedClock();
  machine = machineWith({ clock });
});

/** A timer that is left would keep the program alive. */
afterEach(() => {
  expect(clock.set.size, 'timers left').toBe(0);
});

async function newQueue(name: string, ...jobs: NewJob[]): Promise<Queue> {
  const { location } = await homeQueue(temporary.path(name));
  const queue = await openSpool(machine, location);
  await queue.addAll(jobs);
  return queue;
}

const named = (...names: string[]): NewJob[] => names.map((name) => ({ params: [name] }));

type Work = (claim: SharedClaim, place: Place) => Promise<Ran | undefined>;

/** Runs `work` for each job; a job that it says nothing of succeeds. */
function pool(
  queues: PoolOptions['queues'],
  work: Work,
  options: Partial<PoolOptions> = {},
): Promise<PoolReport> {
  return runPool(machine, {
    queues,
    concurrency: 1,
    join: {},
    keepWaiting: false,
    stop: never,
    graceMs: 10_000,
    onTrouble: async (_, error) => {
      throw error;
    },
    run: async (claim, place) => {
      const ran = await work(claim, place);
      return async () => {
        if (ran === undefined) await claim.succeed();
        return ran ?? 'succeeded';
      };
    },
    ...options,
  });
}

/** Jobs that run until they are let go. */
function gate() {
  const inside: string[] = [];
  const seen: string[] = [];
  let most = 0;
  const leave = new Map<string, () => void>();
  return {
    inside,
    seen,
    most: () => most,
    work: async (claim: SharedClaim) => {
      const name = param(claim);
      inside.push(name);
      seen.push(name);
      most = Math.max(most, inside.length);
      await new Promise<void>((resolve) => leave.set(name, resolve));
      inside.splice(inside.indexOf(name), 1);
      return undefined;
    },
    open: (...names: string[]) => {
      for (const name of names) leave.get(name)?.();
    },
    isInside: (...names: string[]) => eventually(() => expect([...inside].sort()).toEqual([...names].sort())),
  };
}

describe('a pool', () => {
  it('runs all there is, and says that there is no more', async () => {
    const queue = await newQueue('q', ...named('1', '2', '3'));
    const ran: string[] = [];
    const report = await pool([queue], async (claim) => {
      ran.push(param(claim));
      return undefined;
    });
    expect(ran).toEqual(['1', '2', '3']);
    expect(report.counts).toEqual({ succeeded: 3, failed: 0, again: 0, 'given-back': 0, lost: 0 });
    expect(report.ended).toBe('idle');
    expect([...report.idle.values()]).toEqual([{ kind: 'idle', reason: 'empty', waiting: 0 }]);
    expect(namesIn(queue, 'work')).toEqual([]);
  });

  it('takes from several queues in turn', async () => {
    const queues = [
      await newQueue('a', ...named('a1', 'a2', 'a3', 'a4')),
      await newQueue('b', ...named('b1', 'b2')),
      await newQueue('empty'),
    ];
    const ran: string[] = [];
    await pool(queues, async (claim) => {
      ran.push(param(claim));
      return undefined;
    });
    expect(ran).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('runs as many at once as it may, and never more', async () => {
    const queues = [
      await newQueue('a', ...named('1', '2', '3')),
      await newQueue('b', ...named('4', '5', '6')),
    ];
    const jobs = gate();
    const done = pool(queues, jobs.work, { concurrency: 4 });
    await jobs.isInside('1', '4', '2', '5');
    jobs.open('4');
    await jobs.isInside('1', '2', '5', '3');
    jobs.open('1', '2', '3');
    await jobs.isInside('5', '6');
    jobs.open('5', '6');
    expect((await done).counts.succeeded).toBe(6);
    expect(jobs.most()).toBe(4);
  });

  it('runs one job of a lane at a time, whatever it may', async () => {
    const lane = (name: string): NewJob => ({ params: [name], lane: name.slice(0, 1) });
    const queue = await newQueue('q', ...['a1', 'a2', 'b1', 'b2'].map(lane));
    const jobs = gate();
    const done = pool([queue], jobs.work, { concurrency: 4 });
    await jobs.isInside('a1', 'b1');
    jobs.open('b1');
    await jobs.isInside('a1', 'b2');
    jobs.open('a1', 'b2');
    await jobs.isInside('a2');
    jobs.open('a2');
    await done;
    expect(jobs.seen.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2']);
  });

  it('starts so many and no more', async () => {
    const queue = await newQueue('q', ...named('1', '2', '3', '4'));
    const report = await pool([queue], async () => undefined, { maxJobs: 3, concurrency: 2 });
    expect([report.ended, report.counts.succeeded]).toEqual(['limit', 3]);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });

  it('waits for jobs of its own that are to be tried again', async () => {
    const queue = await newQueue('q', ...named('1'));
    const attempts: number[] = [];
    const report = await pool([queue], async (claim) => {
      attempts.push(claim.attempt);
      if (claim.attempt === 3) return undefined;
      await claim.retry(Date.now() + 30, 'no luck');
      return 'again';
    });
    expect(attempts).toEqual([1, 2, 3]);
    expect(report.counts).toMatchObject({ succeeded: 1, again: 2 });
  });

  it('does not wait for jobs of others that are to be tried again', async () => {
    const queue = await newQueue('q', { params: ['1'], notBefore: new Date(Date.now() + 3_600_000) });
    const report = await pool([queue], async () => undefined);
    expect([...report.idle.values()]).toMatchObject([{ reason: 'delayed', waiting: 1 }]);
  });

  it('does not wait for its own that others have run meanwhile', async () => {
    const queue = await newQueue('q', ...named('1'));
    const report = await pool([queue], async (claim) => {
      await claim.retry(Date.now() + 3_600_000, 'no luck');
      // Another worker, whose clock is ahead.
      const [name] = namesIn(queue, 'jobs') as [string];
      rmSync(`${queue.location}/jobs/${name}`);
      return 'again';
    });
    expect(report.counts).toMatchObject({ again: 1 });
    expect(report.ended).toBe('idle');
  });

  it('ends with the error of a job that cannot be run, and gives it back', async () => {
    const queue = await newQueue('q', ...named('1', '2'));
    const before = namesIn(queue, 'jobs');
    const failed = pool([queue], async () => {
      throw new Error('no such program');
    });
    await expect(failed).rejects.toThrow('no such program');
    expect(namesIn(queue, 'jobs')).toEqual(before);
    expect(namesIn(queue, 'work')).toEqual([]);
  });
});

describe('told to stop', () => {
  it('starts no more, and lets those that run end', async () => {
    const queue = await newQueue('q', ...named('1', '2', '3'));
    const stop = new AbortController();
    const jobs = gate();
    const done = pool([queue], jobs.work, { stop: stop.signal, concurrency: 2 });
    await jobs.isInside('1', '2');
    stop.abort();
    jobs.open('1', '2');
    expect(await done).toMatchObject({ ended: 'stopped', counts: { succeeded: 2 } });
    expect((await queue.jobs()).jobs.map((job) => param({ job }))).toEqual(['3']);
  });

  it('ends those that run when the grace time is over; they are as if not started', async () => {
    const queue = await newQueue('q', ...named('1'));
    const before = namesIn(queue, 'jobs');
    const stop = new AbortController();
    const told: boolean[] = [];
    const work: Work = async (claim, place) => {
      stop.abort();
      told.push(place.stop.aborted);
      await new Promise<void>((resolve) => place.stop.addEventListener('abort', () => resolve()));
      await claim.release();
      return 'given-back';
    };
    const report = await pool([queue], work, { stop: stop.signal, graceMs: 20 });
    expect(told).toEqual([false]);
    expect(report).toMatchObject({ ended: 'stopped', counts: { 'given-back': 1 } });
    expect(namesIn(queue, 'jobs')).toEqual(before);
  });

  it('while it only waits for the last jobs, ends them after the grace time too', async () => {
    const queue = await newQueue('q', ...named('1', '2'));
    const stop = new AbortController();
    const work: Work = async (claim, place) => {
      if (param(claim) === '1') return undefined;
      stop.abort();
      await new Promise<void>((resolve) => place.stop.addEventListener('abort', () => resolve()));
      await claim.release();
      return 'given-back';
    };
    const report = await pool([queue], work, { stop: stop.signal, graceMs: 20, maxJobs: 2, concurrency: 2 });
    expect(report.counts).toMatchObject({ 'given-back': 1 });
  });

  it('during the last jobs leaves no timer when they end in time', async () => {
    const queue = await newQueue('q', ...named('1'));
    const stop = new AbortController();
    const jobs = gate();
    const done = pool([queue], jobs.work, { stop: stop.signal, maxJobs: 1, concurrency: 2, graceMs: 60_000 });
    await jobs.isInside('1');
    stop.abort();
    jobs.open('1');
    expect((await done).counts.succeeded).toBe(1);
  });

  it('while it waits, ends at once', async () => {
    const queue = await newQueue('q');
    const stop = new AbortController();
    const done = pool([queue], async () => undefined, { stop: stop.signal, keepWaiting: true });
    stop.abort();
    expect((await done).ended).toBe('stopped');
  });
});

describe('waiting', () => {
  /** Runs until `work` has seen a job with this name. */
  async function until(
    name: string,
    queues: readonly Queue[],
    meanwhile: () => Promise<void>,
  ): Promise<string[]> {
    const stop = new AbortController();
    const ran: string[] = [];
    const done = pool(
      queues,
      async (claim) => {
        ran.push(param(claim));
        if (param(claim) === name) stop.abort();
        return undefined;
      },
      { keepWaiting: true, stop: stop.signal },
    );
    await meanwhile();
    await done;
    return ran;
  }

  it('runs what comes in later, in a queue that was empty and in one that was not', async () => {
    const queues = [await newQueue('a'), await newQueue('b', ...named('b1'))];
    const ran = await until('end', queues, async () => {
      await queues[0]?.add({ params: ['a1'] });
      await eventually(async () => expect((await queues[0]?.jobs())?.jobs).toEqual([]));
      await queues[1]?.add({ params: ['end'] });
    });
    expect([...ran].sort()).toEqual(['a1', 'b1', 'end']);
  });

  it('does so without file events too', async () => {
    machine = machineWith({ clock, watches: { watch: () => () => {} } });
    const queue = await newQueue('q');
    expect(await until('end', [queue], async () => void (await queue.add({ params: ['end'] })))).toEqual([
      'end',
    ]);
  });

  it('says once that no file events come, and looks more often then', async () => {
    const faster = { ...clock, after: (ms: number, action: () => void) => clock.after(ms / 20, action) };
    machine = machineWith({ clock: faster, watches: { watch: () => () => {} } });
    const queues = [await newQueue('a', ...named('1')), await newQueue('b', ...named('2'))];
    const stop = new AbortController();
    const told: string[] = [];
    const seen: string[] = [];
    const done = pool(
      queues,
      async (claim) => {
        seen.push(param(claim));
        return undefined;
      },
      { keepWaiting: true, stop: stop.signal, onNoEvents: ({ location }) => told.push(location) },
    );
    await eventually(() => expect(told).toHaveLength(2));
    await queues[0]?.add({ params: ['later'] });
    await eventually(() => expect(seen).toContain('later'));
    stop.abort();
    await done;
    expect(told.sort()).toEqual(queues.map(({ location }) => location));
  });

  it('leaves a queue that has been empty for a while, and comes back', async () => {
    const queue = await newQueue('q', ...named('1'));
    const ran = await until('end', [queue], async () => {
      await eventually(() => expect(namesIn(queue, 'work')).toHaveLength(1));
      await eventually(async () => expect((await queue.jobs()).jobs).toEqual([]));
      await eventually(async () => {
        clock.advance(1000);
        expect(namesIn(queue, 'work')).toEqual([]);
      });
      // Nobody holds it now: it can be worked alone.
      await eventually(async () => (await queue.session()).close());
      await queue.add({ params: ['end'] });
    });
    expect(ran).toEqual(['1', 'end']);
  });

  it('works queues that are made while it waits, and leaves those that go', async () => {
    const queues = [await newQueue('a')];
    const stop = new AbortController();
    const ran: string[] = [];
    const done = pool(
      async () => [...queues],
      async (claim) => {
        ran.push(param(claim));
        return undefined;
      },
      { keepWaiting: true, stop: stop.signal, onTrouble: async () => {} },
    );
    queues.push(await newQueue('b', ...named('b1')));
    await eventually(() => expect(ran).toEqual(['b1']));
    queues.shift();
    rmSync(temporary.path('a'), { recursive: true });
    await queues[0]?.add({ params: ['b2'] });
    await eventually(() => expect(ran).toEqual(['b1', 'b2']));
    stop.abort();
    expect((await done).ended).toBe('stopped');
  });
});

describe('trouble in one queue', () => {
  it('is told, and stops no other', async () => {
    const bad = await newQueue('bad', ...named('bad'));
    writeFileSync(`${bad.location}/settings.json`, '{');
    const good = await newQueue('good', ...named('1', '2'));
    const trouble: [string, unknown][] = [];
    const report = await pool([bad, good], async () => undefined, {
      onTrouble: async (queue, error) => {
        trouble.push([queue.location, error]);
      },
    });
    expect(trouble).toEqual([[bad.location, expect.objectContaining({ code: 'settings-damaged' })]]);
    expect(report.counts.succeeded).toBe(2);
  });

  it('that takes long to show keeps no other waiting', async () => {
    // As the original makes it, and works it now: whether somebody else makes its rooms has to be waited for.
    const bare = await createSpool(machine, temporary.path('bare'));
    await bare.add({});
    const alone = await bare.session();
    const good = await newQueue('good', ...named('1', '2'));
    const seen: string[] = [];
    const trouble: string[] = [];
    const done = pool(
      [bare, good],
      async (claim) => {
        seen.push(param(claim));
        return undefined;
      },
      { onTrouble: async ({ location }) => void trouble.push(location) },
    );
    await eventually(() => expect(seen).toEqual(['1', '2']));
    expect(trouble).toEqual([]);
    clock.advance(60_000);
    expect((await done).counts.succeeded).toBe(2);
    expect(trouble).toEqual([bare.location]);
    await alone.close();
  });

  it('that cannot be told ends everything, what runs before', async () => {
    const bad = await newQueue('bad', ...named('bad'));
    writeFileSync(`${bad.location}/settings.json`, '{');
    const good = await newQueue('good', ...named('1'));
    const failed = pool([good, bad], async () => undefined, {
      onTrouble: async () => {
        throw new Error('nobody listens');
      },
    });
    await expect(failed).rejects.toThrow('nobody listens');
    expect(namesIn(good, 'work')).toEqual([]);
  });

  it('at the very end still leaves the others', async () => {
    const { location } = await newQueue('bad', ...named('1'));
    const good = await newQueue('good', ...named('2'));
    const files = faultyFiles(realMachine.files, ({ name, path }) =>
      name === 'rmdir' && path.startsWith(`${location}/`) ? 'EIO' : undefined,
    );
    const bad = await openSpool({ ...machine, files }, location);
    await expect(pool([bad, good], async () => undefined)).rejects.toMatchObject({ code: 'EIO' });
    expect(namesIn(good, 'work')).toEqual([]);
  });

  it('is tried again when we keep waiting', async () => {
    const queue = await newQueue('q', ...named('1'));
    writeFileSync(`${queue.location}/settings.json`, '{');
    const stop = new AbortController();
    let told = 0;
    const work: Work = async () => {
      stop.abort();
      return undefined;
    };
    const report = await pool([queue], work, {
      keepWaiting: true,
      stop: stop.signal,
      onTrouble: async () => {
        told += 1;
        writeFileSync(`${queue.location}/settings.json`, '{"order": "free"}');
      },
    });
    expect([told, report.counts.succeeded]).toEqual([1, 1]);
  });

  it('leaves no timer of a wait that another one has followed', async () => {
    const { location } = await newQueue('q', ...named('1'));
    const { files } = realMachine;
    // While the queue is looked at, the job is settled: so it is asked again at once.
    const readdir = async (path: string) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return files.readdir(path);
    };
    const queue = await openSpool({ ...machine, files: { ...files, readdir } }, location);
    expect((await pool([queue], async () => undefined)).counts.succeeded).toBe(1);
  });

  it('leaves no timer when we stop meanwhile', async () => {
    const queue = await newQueue('q', ...named('1'));
    writeFileSync(`${queue.location}/settings.json`, '{');
    const stop = new AbortController();
    const report = await pool([queue], async () => undefined, {
      keepWaiting: true,
      stop: stop.signal,
      onTrouble: async () => stop.abort(),
    });
    expect(report.ended).toBe('stopped');
  });

  it('does not end jobs of it that run', async () => {
    const { location } = await newQueue('q', ...named('1', '2'));
    let broken = false;
    const files = faultyFiles(realMachine.files, ({ name, path }) =>
      broken && name === 'readdir' && path.endsWith('/jobs') ? 'EIO' : undefined,
    );
    const queue = await openSpool({ ...machine, files }, location);
    const jobs = gate();
    const trouble: unknown[] = [];
    const done = pool([queue], jobs.work, {
      concurrency: 2,
      maxJobs: 3,
      onTrouble: async (_, error) => {
        trouble.push(error);
      },
    });
    await jobs.isInside('1', '2');
    broken = true;
    clock.advance(60_000);
    await queue.add({ params: ['3'] });
    jobs.open('1', '2');
    expect((await done).counts.succeeded).toBe(2);
    expect(trouble).toMatchObject([{ code: 'EIO' }]);
  });

  it('of a worker that was taken for dead ends its jobs, which are lost', async () => {
    const queue = await newQueue('q', ...named('1'));
    const trouble: unknown[] = [];
    const work: Work = async (claim, place) => {
      rmSync(`${queue.location}/work/${namesIn(queue, 'work')[0]}`, { recursive: true });
      await eventually(() => expect(place.stop.aborted).toBe(true));
      return (await claim.release()) === 'lost' ? 'lost' : 'given-back';
    };
    const report = await pool([queue], work, {
      concurrency: 2,
      join: { leaseMs: 200 },
      onTrouble: async (_, error) => {
        trouble.push(error);
      },
    });
    expect(report.counts).toMatchObject({ lost: 1 });
    expect(trouble).toMatchObject(trouble.length === 0 ? [] : [{ code: 'fenced' }]);
  });
});
