import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequence } from '../../../../src/packet/header.ts';
import { byService, type Waiting } from '../../../../src/spool/home/waiting-job.ts';
import { type LaneStop, WaitingJobs } from '../../../../src/spool/home/working/waiting.ts';

let made = 0;
const job = (parts: Partial<Omit<Waiting, 'seq'>> & { seq?: number } = {}): Waiting => {
  const seq = parts.seq ?? ++made;
  const name = parts.name ?? `job-${seq}`;
  return {
    ...{
      name,
      priority: 50,
      addedMs: 1000,
      notBeforeMs: 0,
      held: false,
      attempts: 0,
      lane: undefined,
      stem: name,
    },
    ...parts,
    seq: sequence(seq),
  };
};

function indexOf(jobs: readonly Waiting[], nowMs = 0): WaitingJobs {
  const index = new WaitingJobs();
  for (const { lane } of jobs)
    if (lane !== undefined && !index.hasLane(lane)) index.setNext(lane, sequence(1));
  index.add(jobs, nowMs);
  return index;
}

/** As a look does that finds these names. */
function keepOnly(index: WaitingJobs, names: ReadonlySet<string>): void {
  index.beginListing();
  index.endListing(names);
}

/** The names of all that may be taken at that time, best first. */
function taken(index: WaitingJobs, nowMs = 0): string[] {
  const names: string[] = [];
  for (;;) {
    index.offer(nowMs);
    const next = index.take();
    if (next === undefined) return names;
    names.push(next.name);
  }
}

describe('what the index knows', () => {
  it('is names, each once', () => {
    const one = job({ name: 'one' });
    const index = indexOf([one, job({ name: 'two' })]);
    index.add([{ ...one, priority: 0 }, job({ name: 'three' })], 0);
    expect([index.size, index.has('one'), index.has('four')]).toEqual([3, true, false]);
    expect(taken(index)).toEqual(['one', 'two', 'three']);
    expect([index.size, index.has('one')]).toEqual([0, false]);
  });

  it('of an empty directory is nothing', () => {
    const index = new WaitingJobs();
    index.offer(0);
    expect([index.take(), index.nextStartMs(), index.nextOf('a'), index.size, index.heldFree()]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
      0,
    ]);
    index.drop('nothing');
    index.freeLane('nothing');
    keepOnly(index, new Set());
    expect(index.stops().size).toBe(0);
  });

  it('is forgotten at the end of a listing that nobody began, too', () => {
    const index = indexOf([job({ name: 'one' }), job({ name: 'two' })]);
    index.endListing(new Set(['two']));
    expect(taken(index)).toEqual(['two']);
  });

  it('is which number a lane waits for', () => {
    const index = indexOf([job({ lane: 'a', seq: 2 })]);
    expect(index.nextOf('a')).toBe(1n);
    index.setNext('a', sequence(2));
    expect(index.nextOf('a')).toBe(2n);
  });

  it('is when a job may start: at that moment, and not before', () => {
    const jobs = [
      job({ name: 'free', notBeforeMs: 10 }),
      job({ name: 'of a lane', lane: 'a', seq: 1, notBeforeMs: 10 }),
    ];
    const early = indexOf(jobs, 9);
    expect(taken(early, 9)).toEqual([]);
    expect(early.nextStartMs()).toBe(10);
    expect(taken(early, 10).sort()).toEqual(['free', 'of a lane']);
    const late = indexOf(jobs, 10);
    late.offer(10);
    expect(late.nextStartMs()).toBe(undefined);
    expect(taken(late, 10).sort()).toEqual(['free', 'of a lane']);
  });

  it('is not what was dropped while it waited for its time', () => {
    const index = indexOf([job({ name: 'x', notBeforeMs: 10 }), job({ name: 'y', notBeforeMs: 20 })]);
    index.drop('x');
    expect(index.nextStartMs()).toBe(20);
    expect(taken(index, 30)).toEqual(['y']);
    index.add([job({ name: 'z', notBeforeMs: 40 })], 30);
    index.drop('z');
    expect([taken(index, 50), index.size]).toEqual([[], 0]);
  });
});

describe('jobs that came at once with one number', () => {
  it('are taken by name, whatever order they were found in', () => {
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'c', 'a'],
    ]) {
      expect(taken(indexOf(names.map((name) => job({ name, seq: 1 }))))).toEqual(['a', 'b', 'c']);
    }
  });

  it('have an order that does not depend on how it is asked', () => {
    const [a, b] = [job({ name: 'a', seq: 1 }), job({ name: 'b', seq: 1 })];
    const later = job({ name: '0', seq: 2 });
    expect([byService(a, b), byService(b, a), byService(a, { ...a })].map(Math.sign)).toEqual([-1, 1, 0]);
    expect([byService(b, later), byService(later, b)].map(Math.sign)).toEqual([-1, 1]);
  });
});

describe('a lane that is set back', () => {
  it('offers again what was past', () => {
    const index = indexOf([3, 4, 5].map((seq) => job({ lane: 'a', seq })));
    index.setNext('a', sequence(5));
    expect(taken(index)).toEqual(['job-5']);
    index.setNext('a', sequence(3));
    index.freeLane('a');
    expect(taken(index)).toEqual(['job-3']);
    expect(index.stops().size).toBe(0);
  });

  it('does not offer twice what is offered', () => {
    const index = indexOf([3, 4].map((seq) => job({ lane: 'a', seq })));
    index.setNext('a', sequence(4));
    index.offer(0);
    index.setNext('a', sequence(3));
    expect(taken(index)).toEqual(['job-4']);
    index.freeLane('a');
    expect(taken(index)).toEqual(['job-3']);
  });

  it('leaves other lanes, and what is gone, alone', () => {
    const index = indexOf([
      job({ lane: 'a', seq: 1 }),
      job({ lane: 'a', seq: 2 }),
      job({ lane: 'b', seq: 7 }),
    ]);
    index.setNext('a', sequence(3));
    index.drop('job-1');
    index.setNext('a', sequence(1));
    expect(index.stops().get('a')).toEqual({ kind: 'gap', missing: 1n, next: 2n, waiting: 1 });
    expect(index.stops().get('b')).toMatchObject({ next: 7n, waiting: 1 });
  });
});

describe('a lane whose number is past all that waits', () => {
  const lanes = (index: WaitingJobs) => ['a', 'b'].filter((name) => index.hasLane(name));

  it('is in doubt, and not forgotten, as long as its jobs are there', () => {
    const index = indexOf([
      job({ lane: 'a', seq: 1 }),
      job({ lane: 'b', seq: 5 }),
      job({ name: 'free', seq: 0 }),
    ]);
    index.setNext('a', sequence(2));
    keepOnly(index, new Set(['job-1', 'job-5', 'free']));
    expect([...index.lanesInDoubt()].sort()).toEqual(['a', 'b']);
    keepOnly(index, new Set(['job-1', 'job-5', 'free']));
    expect(lanes(index)).toEqual(['a', 'b']);
    keepOnly(index, new Set(['job-5', 'free']));
    expect(lanes(index)).toEqual(['b']);
    expect([...index.lanesInDoubt()]).toEqual(['b']);
  });

  it('is in no doubt when its next job is there', () => {
    const index = indexOf([job({ lane: 'a', seq: 1 })]);
    keepOnly(index, new Set(['job-1']));
    expect([...index.lanesInDoubt()]).toEqual([]);
  });
});

describe('free jobs', () => {
  it('are taken by priority, then age, then number', () => {
    const jobs = [
      job({ name: 'last', priority: 60, addedMs: 1 }),
      job({ name: 'third', addedMs: 2, seq: 10 }),
      job({ name: 'second', addedMs: 2, seq: 9 }),
      job({ name: 'first', priority: 0, addedMs: 9 }),
    ];
    expect(taken(indexOf(jobs))).toEqual(['first', 'second', 'third', 'last']);
  });

  it('wait for their time', () => {
    const index = indexOf([job({ name: 'later', notBeforeMs: 20 }), job({ name: 'soon', notBeforeMs: 10 })]);
    expect(taken(index, 9)).toEqual([]);
    expect(index.nextStartMs()).toBe(10);
    expect(taken(index, 10)).toEqual(['soon']);
    expect(index.nextStartMs()).toBe(20);
    expect(taken(index, 99)).toEqual(['later']);
    expect(index.nextStartMs()).toBeUndefined();
  });

  it('that are held are not taken, and counted', () => {
    const index = indexOf([job({ held: true }), job({ held: true, notBeforeMs: 5 })]);
    expect(taken(index, 99)).toEqual([]);
    expect(index.heldFree()).toBe(2);
    expect(index.size).toBe(2);
    expect(index.nextStartMs()).toBeUndefined();
  });

  it('that are gone are not taken, nor waited for', () => {
    const index = indexOf([job({ name: 'gone' }), job({ name: 'gone later', notBeforeMs: 5 })]);
    index.offer(0);
    index.drop('gone');
    index.drop('gone later');
    expect(index.nextStartMs()).toBeUndefined();
    expect(taken(index, 9)).toEqual([]);
    expect(index.size).toBe(0);
  });

  it('that came back while the directory was listed are kept', () => {
    const index = indexOf([job({ name: 'gone' })]);
    index.beginListing();
    index.add([job({ name: 'back' })], 0);
    index.endListing(new Set());
    expect(taken(index)).toEqual(['back']);
    index.add([job({ name: 'back' })], 0);
    keepOnly(index, new Set());
    expect(taken(index)).toEqual([]);
  });

  it('that are known already are not added again', () => {
    const one = job({ name: 'one' });
    const index = indexOf([one]);
    index.add([job({ name: 'one', priority: 0 })], 0);
    expect(index.size).toBe(1);
    expect(taken(index)).toEqual(['one']);
  });
});

describe('a lane', () => {
  const lane = 'a';

  it('offers one job at a time, in the order of the numbers, whatever their priority', () => {
    const index = indexOf([job({ lane, seq: 2, priority: 0 }), job({ lane, seq: 1, priority: 99 })]);
    expect(taken(index)).toEqual(['job-1']);
    index.setNext(lane, sequence(2));
    expect(taken(index)).toEqual([]);
    index.freeLane(lane);
    expect(taken(index)).toEqual(['job-2']);
  });

  it('offers a job that came back again, and nothing before it', () => {
    const first = job({ lane, seq: 1 });
    const index = indexOf([first, job({ lane, seq: 2 })]);
    expect(taken(index)).toEqual(['job-1']);
    index.freeLane(lane);
    index.add([{ ...first, name: 'job-1 again', notBeforeMs: 10 }], 0);
    expect(taken(index, 9)).toEqual([]);
    expect(index.nextStartMs()).toBe(10);
    expect(taken(index, 10)).toEqual(['job-1 again']);
  });

  it('waits for a number that is not there, and says how many wait behind it', () => {
    const index = indexOf([3, 4, 5].map((seq) => job({ lane, seq })));
    expect(taken(index)).toEqual([]);
    const stop = { kind: 'gap', missing: 1n, next: 3n, waiting: 3 };
    expect([...index.stops()]).toEqual([[lane, stop]]);
    index.drop('job-4');
    expect([...index.stops()]).toEqual([[lane, { ...stop, waiting: 2 }]]);
  });

  it('waits for a head that is held', () => {
    const head = job({ lane, seq: 1, held: true });
    const index = indexOf([head, job({ lane, seq: 2 })]);
    expect(taken(index)).toEqual([]);
    expect([...index.stops()]).toEqual([[lane, { kind: 'held', job: head, waiting: 2 }]]);
    expect(index.heldFree()).toBe(0);
  });

  it('steps over numbers that are past', () => {
    const index = indexOf([1, 2, 3].map((seq) => job({ lane, seq })));
    index.setNext(lane, sequence(3));
    expect(taken(index)).toEqual(['job-3']);
    expect([...index.lanesInDoubt()]).toEqual(['a']);
  });

  it('blocks no other lane, and no free job', () => {
    const jobs = [job({ lane, seq: 2 }), job({ lane: 'b', seq: 1 }), job({ name: 'free', priority: 99 })];
    expect(taken(indexOf(jobs))).toEqual(['job-1', 'free']);
  });

  it('knows whether jobs wait behind the one that was taken', () => {
    const index = indexOf([job({ lane, seq: 1 }), job({ lane, seq: 2 })]);
    taken(index);
    expect(index.isBehind(lane)).toBe(true);
    index.drop('job-2');
    expect(index.isBehind(lane)).toBe(false);
    expect(index.isBehind(undefined)).toBe(false);
    expect(index.isBehind('no such lane')).toBe(false);
  });

  it('is forgotten when nothing of it is left', () => {
    const index = indexOf([job({ name: 'x', lane, seq: 1 }), job({ name: 'y', lane: 'b', seq: 1 })]);
    index.beginListing();
    index.endListing(new Set(['y']));
    expect(['a', 'b'].filter((name) => index.hasLane(name))).toEqual(['b']);
    expect(index.nextOf('a')).toBeUndefined();
    taken(index);
    index.beginListing();
    index.endListing(new Set());
    expect(
      ['a', 'b'].filter((name) => index.hasLane(name)),
      'its job is running',
    ).toEqual(['b']);
    index.freeLane('b');
    index.beginListing();
    index.endListing(new Set());
    expect(['a', 'b'].filter((name) => index.hasLane(name))).toEqual([]);
  });

  it('has to be opened first', () => {
    expect(() => new WaitingJobs().add([job({ lane })], 0)).toThrow('lane a was not opened');
  });
});

/** The same, as slow and simple as can be: a list, gone through each time. */
class Naive {
  known: Waiting[] = [];
  readonly next = new Map<string, number>();
  /** By lane: its job that was offered, and so is the only one of it that may be taken. */
  readonly offered = new Map<string, Waiting>();
  readonly running = new Set<string>();

  head(lane: string): Waiting | undefined {
    const next = this.next.get(lane) as number;
    const there = this.known.filter((job) => job.lane === lane && Number(job.seq) >= next);
    return there.sort((a, b) => Number(a.seq - b.seq))[0];
  }

  /** A lane that stands at a job which may run is bound to it until that is over, back, or gone. */
  offer(): void {
    for (const lane of this.next.keys()) {
      if (this.offered.has(lane) || this.running.has(lane)) continue;
      const head = this.head(lane);
      if (head !== undefined && Number(head.seq) === this.next.get(lane) && !head.held) {
        this.offered.set(lane, head);
      }
    }
  }

  candidates(): Waiting[] {
    const offered = [...this.offered.values()];
    return this.known.filter((job) => (job.lane === undefined ? !job.held : offered.includes(job)));
  }

  take(nowMs: number): Waiting | undefined {
    const best = this.candidates()
      .filter(({ notBeforeMs }) => notBeforeMs <= nowMs)
      .sort(byService)[0];
    if (best === undefined) return undefined;
    this.remove(best.name);
    if (best.lane !== undefined) this.running.add(best.lane);
    return best;
  }

  remove(name: string): void {
    this.known = this.known.filter((job) => job.name !== name);
    for (const [lane, job] of this.offered) if (job.name === name) this.offered.delete(lane);
  }

  nextStartMs(nowMs: number): number | undefined {
    const times = this.candidates().flatMap((job) => (job.notBeforeMs > nowMs ? [job.notBeforeMs] : []));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  stops(): Map<string, LaneStop> {
    const stops = new Map<string, LaneStop>();
    for (const [lane, next] of this.next) {
      if (this.offered.has(lane) || this.running.has(lane)) continue;
      const head = this.head(lane);
      if (head === undefined) continue;
      const waiting = this.known.filter((job) => job.lane === lane && Number(job.seq) >= next).length;
      if (Number(head.seq) > next) {
        stops.set(lane, { kind: 'gap', missing: sequence(next), next: head.seq, waiting });
      } else if (head.held) stops.set(lane, { kind: 'held', job: head, waiting });
    }
    return stops;
  }
}

const LANES = [undefined, 'a', 'b'] as const;

type Step =
  | { readonly kind: 'add'; readonly jobs: readonly Omit<Waiting, 'name' | 'seq' | 'stem'>[] }
  | { readonly kind: 'take' }
  | { readonly kind: 'settle'; readonly lane: string; readonly how: 'over' | 'back' }
  | { readonly kind: 'drop'; readonly at: number }
  | { readonly kind: 'keep'; readonly every: number }
  | { readonly kind: 'skip'; readonly lane: string }
  | { readonly kind: 'wait'; readonly ms: number };

const someJob = fc.record({
  priority: fc.integer({ min: 48, max: 52 }),
  addedMs: fc.integer({ min: 1, max: 5 }),
  notBeforeMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })),
  held: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  attempts: fc.constant(0),
  lane: fc.constantFrom(...LANES),
});
const someLane = fc.constantFrom('a', 'b');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('add' as const), jobs: fc.array(someJob, { maxLength: 6 }) }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: 'take' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      lane: someLane,
      how: fc.constantFrom('over' as const, 'back' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), at: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('keep' as const), every: fc.integer({ min: 2, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), lane: someLane }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  },
);

describe('the index', () => {
  it('gives what a list that is gone through each time would give', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new WaitingJobs();
        const naive = new Naive();
        const last = new Map<string, number>();
        const running = new Map<string, Waiting>();
        let nowMs = 0;
        let count = 0;
        const add = (jobs: readonly Waiting[]) => {
          for (const { lane } of jobs) {
            if (lane === undefined) continue;
            if (!naive.next.has(lane)) naive.next.set(lane, 1);
            if (!index.hasLane(lane)) index.setNext(lane, sequence(naive.next.get(lane) as number));
          }
          index.add(jobs, nowMs);
          naive.known.push(...jobs);
        };
        for (const step of steps) {
          switch (step.kind) {
            case 'add':
              add(
                step.jobs.map((parts): Waiting => {
                  const number = parts.lane === undefined ? ++count : (last.get(parts.lane) ?? 0) + 1;
                  if (parts.lane !== undefined) last.set(parts.lane, number);
                  const name = `${parts.lane ?? 'free'}-${number}`;
                  return { ...parts, name, stem: name, seq: sequence(number) };
                }),
              );
              break;
            case 'take': {
              naive.offer();
              index.offer(nowMs);
              const expected = naive.take(nowMs);
              expect(index.take()).toBe(expected);
              if (expected?.lane !== undefined) running.set(expected.lane, expected);
              break;
            }
            case 'settle': {
              const done = running.get(step.lane);
              if (done === undefined) break;
              running.delete(step.lane);
              naive.running.delete(step.lane);
              if (step.how === 'over') {
                naive.next.set(step.lane, Number(done.seq) + 1);
                index.setNext(step.lane, sequence(Number(done.seq) + 1));
              }
              index.freeLane(step.lane);
              if (step.how === 'back') add([{ ...done, name: `${done.name}'`, notBeforeMs: nowMs + 10 }]);
              break;
            }
            case 'drop': {
              const name = naive.known[step.at]?.name ?? 'unknown';
              naive.remove(name);
              index.drop(name);
              break;
            }
            case 'keep': {
              const left = naive.known.filter((_, at) => at % step.every !== 0).map(({ name }) => name);
              for (const { name } of [...naive.known]) if (!left.includes(name)) naive.remove(name);
              index.beginListing();
              index.endListing(new Set(left));
              break;
            }
            case 'skip': {
              const stop = naive.stops().get(step.lane);
              if (stop?.kind !== 'gap') break;
              naive.next.set(step.lane, Number(stop.next));
              index.setNext(step.lane, stop.next);
              break;
            }
            case 'wait':
              nowMs += step.ms;
          }
          naive.offer();
          index.offer(nowMs);
          expect(index.size).toBe(naive.known.length);
          expect(index.nextStartMs()).toBe(naive.nextStartMs(nowMs));
          expect(index.stops()).toEqual(naive.stops());
          expect(index.heldFree()).toBe(
            naive.known.filter((job) => job.held && job.lane === undefined).length,
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});
