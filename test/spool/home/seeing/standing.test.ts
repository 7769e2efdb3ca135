import { describe, expect, it } from 'vitest';
import { sequence } from '../../../../src/packet/header.ts';
import { type LaneState, standingsOf } from '../../../../src/spool/home/seeing/standing.ts';
import type { Waiting } from '../../../../src/spool/home/waiting-job.ts';

const NOW_MS = 1000;

/** `alice/3` is job 3 of lane alice; after it, in any order: `p10` priority, `t5` added, `h` held, `n2000` not before. */
function job(text: string): Waiting {
  const [stem = '', ...marks] = text.split(' ');
  const [lane, number] = stem.includes('/') ? stem.split('/') : [undefined, '0'];
  const mark = (letter: string, otherwise: number) =>
    Number(marks.find((one) => one.startsWith(letter) && one.length > 1)?.slice(1) ?? otherwise);
  return {
    name: `fspl-${text}.fspl`,
    stem,
    priority: mark('p', 50),
    addedMs: mark('t', 1),
    notBeforeMs: mark('n', 0),
    held: marks.includes('h'),
    attempts: 0,
    seq: sequence(BigInt(number ?? 0)),
    lane,
  };
}

function lane(next: number | undefined, running: number[] = []): LaneState {
  return {
    next: next === undefined ? undefined : sequence(next),
    running: new Set(running.map((number) => sequence(number))),
  };
}

function standing(jobs: string[], lanes: Record<string, LaneState> = {}): string[] {
  const { jobs: ordered } = standingsOf(jobs.map(job), new Map(Object.entries(lanes)), {
    nowMs: NOW_MS,
    directory: '/q/jobs',
  });
  return ordered.map(({ id, standing: where }) => {
    switch (where.kind) {
      case 'behind':
        return `${id} behind ${where.seq}${where.running ? ' running' : ''}`;
      case 'gap':
        return `${id} gap ${where.missing}`;
      case 'delayed':
        return `${id} delayed ${where.untilMs}`;
      default:
        return `${id} ${where.kind}`;
    }
  });
}

describe('where waiting jobs stand', () => {
  it.each<[string, string[], Record<string, LaneState>, string[]]>([
    ['nothing', [], {}, []],
    ['by priority, then by age', ['a p50 t2', 'b p50 t1', 'c p10 t3'], {}, ['c ready', 'b ready', 'a ready']],
    [
      'delayed by their time, then held',
      ['held h', 'late n3000', 'soon n2000', 'due n500'],
      {},
      ['due ready', 'soon delayed 2000', 'late delayed 3000', 'held held'],
    ],
    [
      'a lane by number, whatever the priority within it',
      ['alice/2 p1', 'alice/1 p50', 'free p20'],
      { alice: lane(1) },
      ['free ready', 'alice/1 ready', 'alice/2 behind 1'],
    ],
    [
      'two lanes beside each other',
      ['alice/1 t1', 'alice/2 t2', 'bob/7 t1', 'bob/8 t3'],
      { alice: lane(1), bob: lane(7) },
      ['alice/1 ready', 'bob/7 ready', 'alice/2 behind 1', 'bob/8 behind 7'],
    ],
    [
      'behind one that runs',
      ['alice/2', 'alice/3'],
      { alice: lane(1, [1]) },
      ['alice/2 behind 1 running', 'alice/3 behind 1 running'],
    ],
    ['behind a gap', ['alice/3', 'alice/4'], { alice: lane(2) }, ['alice/3 gap 2', 'alice/4 gap 2']],
    [
      'behind one that is there, and then a gap',
      ['alice/1', 'alice/3'],
      { alice: lane(1) },
      ['alice/1 ready', 'alice/3 behind 1'],
    ],
    [
      'behind one that is held',
      ['alice/1 h', 'alice/2', 'alice/3 h'],
      { alice: lane(1) },
      ['alice/1 held', 'alice/2 behind 1', 'alice/3 held'],
    ],
    [
      'behind one that is delayed',
      ['alice/1 n2000', 'alice/2'],
      { alice: lane(1) },
      ['alice/1 delayed 2000', 'alice/2 behind 1'],
    ],
    [
      'past, and twice',
      ['alice/1', 'alice/5', 'alice/5 t9', 'alice/6'],
      { alice: lane(5) },
      ['alice/5 ready', 'alice/6 behind 5', 'alice/1 past', 'alice/5 duplicate'],
    ],
    ['the number of one that runs, again', ['alice/5'], { alice: lane(5, [5]) }, ['alice/5 duplicate']],
    ['in a lane whose number is damaged', ['alice/5'], { alice: lane(undefined) }, ['alice/5 stuck']],
  ])('%s', (_what, jobs, lanes, expected) => {
    expect(standing(jobs, lanes)).toEqual(expected);
  });

  it('says each gap with how many wait behind it', () => {
    const { gaps } = standingsOf(
      ['bob/4', 'bob/9', 'alice/1'].map(job),
      new Map([
        ['bob', lane(2)],
        ['alice', lane(1)],
      ]),
      { nowMs: 0, directory: '/q/jobs' },
    );
    expect([...gaps]).toEqual([['bob', { missing: 2n, waiting: 2 }]]);
  });

  it('loses no job, whatever the state', () => {
    const jobs = Array.from({ length: 300 }, (_, n) =>
      job(`${['alice', 'bob', 'eve'][n % 3]}/${(n * 7) % 40} p${n % 5} ${n % 11 === 0 ? 'h' : ''} t${n}`),
    );
    const named = jobs.map((one, n) => ({ ...one, name: `${one.name}${n}` }));
    const lanes = new Map([
      ['alice', lane(3)],
      ['bob', lane(0, [0])],
      ['eve', lane(39)],
    ]);
    const { jobs: ordered } = standingsOf(named, lanes, { nowMs: NOW_MS, directory: '/q/jobs' });
    expect(ordered.map(({ name }) => name).sort()).toEqual(named.map(({ name }) => name).sort());
  });
});
