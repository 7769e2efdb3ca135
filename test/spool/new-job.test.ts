import { describe, expect, it } from 'vitest';
import { formatMs } from '../../src/os/calendar.ts';
import type { Clock } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { METADATA_LIMIT_BYTES, PREFIX_BYTES, sequence } from '../../src/packet/header.ts';
import type { NewJob } from '../../src/queue/contract.ts';
import { parseJobName } from '../../src/spool/home/job-name.ts';
import {
  draftJob,
  freeNumber,
  isNamed,
  lockNumbers,
  nameOf,
  numberedHead,
  numberingFor,
} from '../../src/spool/new-job.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { machineWith } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

const at = (ms: number): Clock => ({
  ...realMachine.clock,
  now: () => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 }),
});
const machine = machineWith({ clock: at(1_763_728_496_123) });

const commandOf = (job: NewJob) => {
  const { work } = draftJob(machine, job).header;
  if (work.kind !== 'command') throw new Error(work.kind);
  return work;
};
const said = (job: NewJob) => parseJobName(nameOf(draftJob(machine, job), sequence(7), 'stem'));

describe('a new job', () => {
  it('has the params and variables that were given, and no more', () => {
    expect(commandOf({})).toEqual({ kind: 'command', params: [], env: [] });
    expect(commandOf({ params: ['a', ''], env: { FOO: 'bar' } })).toEqual({
      kind: 'command',
      params: ['a', ''],
      env: [['FOO', 'bar']],
    });
  });

  it('says what it asks for in its variables and in its name', () => {
    const job: NewJob = {
      lane: 'a',
      priority: 0,
      notBefore: new Date(1_800_000_000_000),
      expires: new Date(1_900_000_000_000),
      name: 'once',
    };
    expect(Object.fromEntries(commandOf(job).env)).toEqual({
      INTRAY_LANE: 'a',
      INTRAY_PRIORITY: '0',
      INTRAY_NOT_BEFORE: formatMs(1_800_000_000_000),
      INTRAY_EXPIRES: formatMs(1_900_000_000_000),
      INTRAY_ID: 'once',
    });
    expect(said(job)).toEqual({
      priority: 0,
      addedMs: 1_763_728_496_123,
      notBeforeMs: 1_800_000_000_000,
      held: false,
      failed: false,
      attempts: 0,
      seq: 7n,
      lane: 'a',
      stem: 'stem',
    });
  });

  it('that asks for nothing has priority 50 and may start at once', () => {
    expect(said({})).toMatchObject({ priority: 50, notBeforeMs: 0, lane: undefined });
  });

  it('made before 1970 was added in 1970, as far as its name goes', () => {
    const draft = draftJob(machineWith({ clock: at(-5000) }), {});
    expect(draft.header.ctime.seconds).toBe(-5n);
    expect(parseJobName(nameOf(draft, sequence(1), 'stem'))?.addedMs).toBe(0);
  });

  it('asks by its variables too, as one that is passed on does; what it asks for itself wins', () => {
    const env = {
      FOO: 'bar',
      INTRAY_LANE: 'theirs',
      INTRAY_PRIORITY: '7',
      INTRAY_NOT_BEFORE: formatMs(1000),
      INTRAY_EXPIRES: formatMs(2000),
      INTRAY_ID: 'their name',
    };
    expect(Object.fromEntries(commandOf({ env }).env)).toEqual(env);
    const own = { lane: 'a', priority: 0, notBefore: new Date(0), expires: new Date(0), name: 'own' };
    expect(commandOf({ env, ...own }).env).toEqual([
      ['FOO', 'bar'],
      ['INTRAY_LANE', 'a'],
      ['INTRAY_PRIORITY', '0'],
      ['INTRAY_NOT_BEFORE', formatMs(0)],
      ['INTRAY_EXPIRES', formatMs(0)],
      ['INTRAY_ID', 'own'],
    ]);
  });

  it.each([
    [{ priority: -1 }, 'the priority is -1, not a whole number from 0 to 99'],
    [{ priority: 100 }, 'the priority is 100, not a whole number from 0 to 99'],
    [{ priority: 1.5 }, 'the priority is 1.5, not a whole number from 0 to 99'],
    [{ lane: '' }, 'the name of the lane is empty'],
    [{ name: '' }, 'the name of the job is empty'],
    [{ notBefore: new Date(-1) }, 'notBefore is not a time after 1970'],
    [{ notBefore: new Date(1e15) }, 'notBefore is not a time after 1970'],
    [{ expires: new Date(Number.NaN) }, 'expires is not a time after 1970'],
    [{ params: ['a\0'] }, 'the params or env hold a NUL, which no command can be given'],
    [{ env: { 'A\0': 'x' } }, 'the params or env hold a NUL, which no command can be given'],
    [{ env: { A: 'x\0' } }, 'the params or env hold a NUL, which no command can be given'],
  ] as const)('is refused with %j', (job, message) => {
    expect(() => draftJob(machine, job)).toThrow(expect.objectContaining({ code: 'not-written', message }));
  });

  it('may be as large as readers take, and no larger', () => {
    const empty = draftJob(machine, { params: ['x'.repeat(70_000)] }).head.length - 70_000 - PREFIX_BYTES;
    const room = METADATA_LIMIT_BYTES - empty;
    expect(draftJob(machine, { params: ['x'.repeat(room)] }).head).toHaveLength(
      METADATA_LIMIT_BYTES + PREFIX_BYTES,
    );
    expect(() => draftJob(machine, { params: ['x'.repeat(room + 1)] })).toThrow(
      `the params and env take ${METADATA_LIMIT_BYTES + 1} bytes, more than the limit of ${METADATA_LIMIT_BYTES}`,
    );
  });

  it('has a head of one length, whatever its number', () => {
    const draft = draftJob(machine, { params: ['p'] });
    for (const number of [0, 1, 2n ** 64n - 1n]) {
      expect(numberedHead(draft, sequence(number))).toHaveLength(draft.head.length);
    }
  });

  it.each([
    [{}, false],
    [{ env: { FOO: 'bar' } }, false],
    [{ name: 'x' }, true],
    [{ env: { INTRAY_ID: 'x' } }, true],
    [{ env: { INTRAY_ID: '' } }, false],
  ])('%j is to be added once and no more: %s', (job, expected) => {
    expect(isNamed(job)).toBe(expected);
  });
});

describe('the number of a new job', () => {
  const pathFor = (order: 'free' | 'sequence', lane?: string, sequenceFile?: string) =>
    numberingFor(machine, '/q', order, lane, sequenceFile)?.path;

  it('is from a file where somebody keeps the order', () => {
    expect(pathFor('free')).toBe(undefined);
    expect(pathFor('sequence')).toBe('/q/addseq');
    expect(pathFor('free', 'a')).toBe('/q/lanes/a.added');
    expect(pathFor('sequence', 'a')).toBe('/q/lanes/a.added');
    expect(pathFor('free', 'a', '/mine')).toBe('/mine');
  });

  it('is else made from the time, and from chance', () => {
    const uuid = 'abcde000-0000-4000-8000-000000000000';
    const number = freeNumber({ ...machine, random: { uuid: () => uuid } });
    expect(number).toBe((1_763_728_496_123n << 20n) | 0xabcden);
  });

  it('is none in a lane where there are no lanes', async () => {
    const path = temporary.path('bare');
    await createSpool(realMachine, path);
    await expect(lockNumbers(realMachine, path, { path: `${path}/lanes/a.added` })).rejects.toMatchObject({
      code: 'no-lanes',
      message: `${path}: it has no lanes directory, so it has no lanes`,
      cause: { code: 'ENOENT' },
    });
    const elsewhere = { path: temporary.path('nowhere', 'seq') };
    await expect(lockNumbers(realMachine, path, elsewhere)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
