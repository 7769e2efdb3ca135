/** Whoever reads a queue's log sees the same, whatever has been removed from it before. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from '../../src/jetstream/agenda.ts';
import { type Entry, NEW, Picture } from '../../src/jetstream/picture.ts';
import { standingOf, whyIdle } from '../../src/jetstream/standing.ts';
import { type JobRecord, type JobState, Subjects, tokenOf, topicOf } from '../../src/jetstream/subjects.ts';
import type { Message } from '../../src/jetstream/wire.ts';
import { encodeBytes } from '../../src/os/bytes.ts';

const subjects = new Subjects('q');

function message(seq: number, subject: string, record: object | string): Message {
  const text = typeof record === 'string' ? record : JSON.stringify(record);
  return { seq, subject, storedMs: seq, record: text, size: 0 };
}

function job(seq: number, id: string, more: Partial<JobRecord> = {}): Message {
  return message(seq, subjects.job(id), { nonce: id, madeMs: 0, params: [], env: [], ...more });
}

function change(seq: number, id: string, generation: number, state: Partial<JobState>): Message {
  return message(seq, subjects.run(id, generation, String(seq)), { ...NEW, nonce: String(seq), ...state });
}

function read(...messages: Message[]): Picture {
  const picture = new Picture();
  for (const one of messages) picture.apply(one);
  return picture;
}

const entry = (picture: Picture, id: string) => picture.entries.get(id) as Entry;

const NAMED = { madeMs: 0, params: [], env: [], name: 'a' };

/** What anybody can see of it. */
function seen(picture: Picture): unknown {
  return {
    jobs: [...picture.entries.values()].map(({ id, seq, state, generation }) => ({
      id,
      seq,
      state,
      generation,
    })),
    lanes: [...picture.lanes].map(([lane, { jobs, running }]) => [
      lane,
      jobs.map(({ id }) => id),
      running?.id,
    ]),
  };
}

describe('the picture of a queue', () => {
  it('has the state of the last change', () => {
    const picture = read(
      job(1, 'a'),
      change(2, 'a', 1, { place: 'running' }),
      change(3, 'a', 2, { place: 'failed' }),
    );
    expect(entry(picture, 'a')).toMatchObject({ seq: 1, generation: 2, state: { place: 'failed' } });
  });

  it('does not believe a change that comes too late', () => {
    const late = change(9, 'a', 1, { place: 'running', worker: 'late' });
    for (const picture of [
      read(
        job(1, 'a'),
        change(2, 'a', 1, { place: 'running' }),
        change(3, 'a', 2, { place: 'waiting' }),
        late,
      ),
      read(job(1, 'a'), change(3, 'a', 2, { place: 'waiting' }), late),
    ]) {
      expect(entry(picture, 'a').state).toMatchObject({ place: 'waiting' });
      expect(entry(picture, 'a').changes).toContain(9);
    }
  });

  it('is the same whichever changes that were overtaken have been removed', () => {
    const places = ['waiting', 'running', 'failed', 'done'] as const;
    const history = fc.array(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c'),
        place: fc.constantFrom(...places),
        isGone: fc.boolean(),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(history, (steps) => {
        const jobs = [job(1, 'a', { lane: 'l' }), job(2, 'b', { lane: 'l' }), job(3, 'c')];
        const generations = new Map<string, number>();
        const changes = steps.map(({ id, place, isGone }, index) => {
          const generation = (generations.get(id) ?? 0) + 1;
          generations.set(id, generation);
          return { id, generation, isGone, message: change(index + 4, id, generation, { place }) };
        });
        const isLast = (id: string, generation: number) => generations.get(id) === generation;
        const left = changes.filter(({ id, generation, isGone }) => !isGone || isLast(id, generation));
        const whole = read(...jobs, ...changes.map(({ message }) => message));
        expect(seen(read(...jobs, ...left.map(({ message }) => message)))).toEqual(seen(whole));
      }),
    );
  });

  it('forgets what is over, and remembers what is left of it', () => {
    const picture = read(
      job(1, 'a', { lane: 'l' }),
      job(2, 'b', { lane: 'l' }),
      change(3, 'a', 1, { place: 'over' }),
    );
    expect([...picture.entries.keys()]).toEqual(['b']);
    expect([...picture.over.keys()]).toEqual(['a']);
    expect(picture.headOf('l')?.id).toBe('b');
    picture.forget('a');
    expect(picture.over.size).toBe(0);
  });

  it('believes the first of several changes of one number', () => {
    const picture = read(
      job(1, 'a'),
      change(2, 'a', 1, { place: 'running', worker: 'first' }),
      change(3, 'a', 1, { place: 'running', worker: 'second' }),
    );
    expect(entry(picture, 'a').state.worker).toBe('first');
    expect(entry(picture, 'a').changes).toEqual([3, 2]);
  });

  it('has one job of a name: the first, until its name is free', () => {
    const named = (seq: number, nonce: string) =>
      message(seq, subjects.named('a', nonce), { ...NAMED, nonce });
    const receipt = (seq: number, more = {}) => message(seq, subjects.receipt('a'), { over: 1, ...more });
    const first = read(named(1, 'x'), named(2, 'y'));
    expect([entry(first, 'a').seq, entry(first, 'a').rivals]).toEqual([1, [2]]);
    const over = read(named(1, 'x'), named(2, 'y'), receipt(3), named(4, 'z'));
    expect([over.entries.size, [...over.orphans]]).toEqual([0, [['a', [4]]]]);
    // The first has been removed before we came.
    const late = read(named(2, 'y'), receipt(3));
    expect([late.entries.size, [...late.orphans]]).toEqual([0, [['a', [2]]]]);
    const free = read(named(1, 'x'), receipt(3), receipt(5, { free: true }), named(6, 'z'));
    expect([entry(free, 'a').seq, free.receipts.size]).toEqual([6, 0]);
  });

  it('puts a job back into its place in its lane', () => {
    const lane = { lane: 'l' };
    const picture = read(
      ...[job(1, 'a', lane), job(2, 'b', lane), job(3, 'c', lane)],
      change(4, 'a', 1, { place: 'failed' }),
      change(5, 'b', 1, { place: 'failed' }),
      change(6, 'b', 2, { place: 'waiting' }),
      change(7, 'a', 2, { place: 'waiting' }),
    );
    expect(picture.lanes.get('l')?.jobs.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('has what is no message of a queue as a stranger, and goes on', () => {
    const picture = read(
      message(1, 'intray.q.job.x', 'no JSON'),
      message(2, 'intray.q.job.y', { nonce: 1 }),
      message(3, 'intray.q.job.y.z', {}),
      message(4, 'intray.q.else', {}),
      message(5, 'intray.q.run.nobody.1.n', { ...NEW, nonce: '' }),
      job(6, 'a'),
    );
    expect([...picture.strangers.values()].map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect([...picture.orphans]).toEqual([['nobody', [5]]]);
    expect([...picture.entries.keys()]).toEqual(['a']);
  });
});

describe('the agenda', () => {
  it('has every job once, by priority and age, those of a lane one after the other', () => {
    const picture = new Picture();
    const agenda = new Agenda(picture);
    const lane = { lane: 'l' };
    for (const one of [
      job(1, 'a', lane),
      job(2, 'b', { ...lane, priority: 0 }),
      job(3, 'c', { priority: 1 }),
      job(4, 'd'),
    ]) {
      agenda.note(picture.apply(one) as Entry, 0);
    }
    expect([agenda.take(0)?.id, agenda.take(0)?.id, agenda.take(0)?.id, agenda.take(0)?.id]).toEqual([
      'c',
      'a',
      'd',
      undefined,
    ]);
    agenda.note(picture.apply(change(5, 'a', 1, { place: 'over' })) as Entry, 0);
    expect(agenda.take(0)?.id).toBe('b');
  });

  it('has what waits for its time when that has come', () => {
    const picture = new Picture();
    const agenda = new Agenda(picture);
    agenda.note(picture.apply(job(1, 'a', { notBeforeMs: 100 })) as Entry, 0);
    expect([agenda.take(99), agenda.nextDueMs]).toEqual([undefined, 100]);
    expect(whyIdle(picture, 99)).toEqual({ kind: 'idle', reason: 'delayed', untilMs: 100, waiting: 1 });
    expect(agenda.take(100)?.id).toBe('a');
  });

  it('leaves out what is held', () => {
    const picture = read(job(1, 'a'), change(2, 'a', 1, { held: true }));
    const agenda = new Agenda(picture);
    agenda.note(entry(picture, 'a'), 0);
    expect(agenda.take(0)).toBeUndefined();
    expect(standingOf(picture, entry(picture, 'a'), 0)).toEqual({ kind: 'held' });
    expect(whyIdle(picture, 0)).toEqual({ kind: 'idle', reason: 'held', jobs: 1, waiting: 1 });
  });
});

describe('subjects', () => {
  it('are told apart', () => {
    expect(topicOf(subjects.job('x'))).toEqual({ kind: 'job', id: 'x' });
    expect(topicOf(subjects.run('x', 12, 'n'))).toEqual({ kind: 'run', id: 'x', generation: 12 });
    expect(topicOf(subjects.said('x', 3, 'stderr'))).toEqual({
      kind: 'said',
      id: 'x',
      attempt: 3,
      stream: 'stderr',
    });
    expect(topicOf(subjects.worker('w'))).toEqual({ kind: 'worker', worker: 'w' });
    expect(topicOf(subjects.paused)).toEqual({ kind: 'paused' });
  });

  it('take any text, each its own token', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const [one, other] = [tokenOf(encodeBytes(a)), tokenOf(encodeBytes(b))];
        expect(one).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(one === other).toBe(a === b);
      }),
    );
  });
});
