import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes, encodeBytes } from '../../../src/os/bytes.ts';
import { LAST_SEQUENCE, sequence } from '../../../src/packet/header.ts';
import { asFileName } from '../../../src/queue/file-name.ts';
import {
  decodeLane,
  foreignStem,
  formatJobName,
  type JobName,
  parseJobName,
  SEE_HEADER,
  stemOf,
} from '../../../src/spool/home/job-name.ts';
import { isJobName } from '../../../src/spool/layout.ts';

const NAME_LIMIT_BYTES = 255;
const UUID = '0c2b1f6e-6a0f-4c0e-9a55-0123456789ab';

/** Text as it comes out of the machine: any bytes but those named. */
const bytesBut = (banned: readonly number[], size: { minLength: number; maxLength: number }) =>
  fc
    .uint8Array({ ...size })
    .map((bytes) => decodeBytes(bytes.map((byte) => (banned.includes(byte) ? 0x0a : byte))));

/** What a file can be called: neither a slash nor a NUL, and 255 bytes with `fspl-` and `.fspl`. */
const foreignName = bytesBut([0, 0x2f], { minLength: 0, maxLength: 245 }).map((text) => `fspl-${text}.fspl`);
const stem = fc.oneof(fc.uuid(), foreignName.map(foreignStem));
const lane = fc.option(bytesBut([0], { minLength: 1, maxLength: 200 }), { nil: undefined });

const plain = {
  priority: fc.integer({ min: 0, max: 99 }),
  addedMs: fc.integer({ min: 0, max: 9_999_999_999_999 }),
  notBeforeMs: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  attempts: fc.integer({ min: 0, max: 999_999_999 }),
  seq: fc.bigInt({ min: 0n, max: LAST_SEQUENCE }).map(sequence),
};
const hold = fc.constantFrom(
  { held: false, failed: false },
  { held: true, failed: false },
  { held: true, failed: true },
);
const jobName: fc.Arbitrary<JobName> = fc
  .tuple(fc.record({ ...plain, lane, stem }), hold)
  .map(([job, how]) => ({ ...job, ...how }));

const SIMPLE: JobName = {
  priority: 50,
  addedMs: 1_763_728_496_123,
  notBeforeMs: 0,
  held: false,
  attempts: 2,
  seq: sequence(17),
  lane: 'alice',
  stem: UUID,
};

describe('a name', () => {
  it('says what it says', () => {
    expect(formatJobName(SIMPLE)).toBe(`fspl-50.1763728496123.0.2.17.alice.${UUID}.fspl`);
    expect(formatJobName({ ...SIMPLE, priority: 7, held: true, notBeforeMs: 9, lane: undefined })).toBe(
      `fspl-07.1763728496123.h9.2.17..${UUID}.fspl`,
    );
    expect(formatJobName({ ...SIMPLE, held: true, failed: true })).toBe(
      `fspl-50.1763728496123.f0.2.17.alice.${UUID}.fspl`,
    );
  });

  it('says why a job is held only when it is', () => {
    expect(formatJobName({ ...SIMPLE, failed: true })).toBe(formatJobName(SIMPLE));
  });

  it('is read as it was written, whatever the lane and the stem', () => {
    fc.assert(
      fc.property(jobName, (job) => {
        const read = parseJobName(formatJobName(job));
        const long = typeof job.lane === 'string' && asFileName(job.lane).length > 64;
        expect(read).toEqual({ ...job, lane: long ? SEE_HEADER : job.lane });
      }),
    );
  });

  it('is a job file to the original, and never longer than a name can be', () => {
    fc.assert(
      fc.property(jobName, (job) => {
        const name = formatJobName(job);
        expect(isJobName(name)).toBe(true);
        expect(name).not.toMatch(/[/\0]/);
        expect(encodeBytes(name).length).toBeLessThanOrEqual(NAME_LIMIT_BYTES);
      }),
    );
  });

  it('says the lane as long as there is room, which is 64 characters', () => {
    expect(parseJobName(formatJobName({ ...SIMPLE, lane: 'x'.repeat(64) }))?.lane).toBe('x'.repeat(64));
    expect(parseJobName(formatJobName({ ...SIMPLE, lane: 'x'.repeat(65) }))?.lane).toBe(SEE_HEADER);
    expect(parseJobName(formatJobName({ ...SIMPLE, lane: SEE_HEADER }))?.lane).toBe(SEE_HEADER);
  });

  it('sorts as the jobs are served: by priority, then first come, first served', () => {
    fc.assert(
      fc.property(fc.array(jobName, { maxLength: 20 }), (jobs) => {
        const names = jobs.map(formatJobName).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const served = (name: string) => {
          const { priority, addedMs } = parseJobName(name) as JobName;
          return priority * 1e13 + addedMs;
        };
        expect(names.map(served)).toEqual(
          jobs
            .map(formatJobName)
            .map(served)
            .sort((a, b) => a - b),
        );
      }),
    );
  });

  it('can be read even when a sender asked for what has no room in it', () => {
    const anyNumber = fc.oneof(
      fc.double(),
      fc.constantFrom(-1, 1e13, 1e15, 9.2e21, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(jobName, anyNumber, anyNumber, (job, addedMs, notBeforeMs) => {
        const read = parseJobName(formatJobName({ ...job, addedMs, notBeforeMs }));
        expect(read).toMatchObject({ priority: job.priority, attempts: job.attempts, stem: job.stem });
      }),
    );
  });

  it.each([
    `fspl-${UUID}.fspl`,
    'fspl-50.fspl',
    `fspl-5.1763728496123.0.2.17.alice.${UUID}.fspl`,
    `fspl-50.176372849612.0.2.17.alice.${UUID}.fspl`,
    `fspl-50.1763728496123.x0.2.17.alice.${UUID}.fspl`,
    `fspl-50.1763728496123.0.-2.17.alice.${UUID}.fspl`,
    `fspl-50.1763728496123.0.2.18446744073709551616.alice.${UUID}.fspl`,
    `fspl-50.1763728496123.0.2.17.a%2.${UUID}.fspl`,
    `fspl-50.1763728496123.0.2.17.a b.${UUID}.fspl`,
    'fspl-50.1763728496123.0.2.17.alice..fspl',
    `fspl-50.1763728496123.0.2.17.alice.${UUID}.fspl.tmp`,
  ])('%s says nothing', (name) => {
    expect(parseJobName(name)).toBeUndefined();
  });
});

describe('a name that says nothing', () => {
  const good = (changed: Record<number, string>) => {
    const fields = ['50', '1763728496123', '0', '2', '17', 'alice', UUID];
    return `fspl-${fields.map((field, index) => changed[index] ?? field).join('.')}.fspl`;
  };

  it.each([
    ['a priority of one digit', good({ 0: '5' })],
    ['a priority of three', good({ 0: '500' })],
    ['a priority that is none', good({ 0: '5x' })],
    ['a sign', good({ 0: '-5' })],
    ['a time of too few digits', good({ 1: '176372849612' })],
    ['a time of too many', good({ 1: '17637284961230' })],
    ['a time that is none', good({ 1: '176372849612/' })],
    ['no start', good({ 2: '' })],
    ['a start that is none', good({ 2: 'x0' })],
    ['a hold and no start', good({ 2: 'h' })],
    ['a failure and no start', good({ 2: 'f' })],
    ['a start of 16 digits', good({ 2: '1000000000000000' })],
    ['no starts', good({ 3: '' })],
    ['starts that are none', good({ 3: '1,' })],
    ['no number', good({ 4: '' })],
    ['a number that is none', good({ 4: '1:' })],
    ['a number of 16 digits that ends in none', good({ 4: '123456789012345x' })],
    ['a number of 17 digits that begins with none', good({ 4: 'x2345678901234567' })],
    ['a number of 21 digits', good({ 4: '000000000000000000017' })],
    ['a number too large', good({ 4: '18446744073709551616' })],
    ['a lane that is none', good({ 5: 'a b' })],
    ['half an escape in the lane', good({ 5: '%2' })],
    ['an escape in small letters', good({ 5: '%2e' })],
    ['no stem', good({ 6: '' })],
    ['another separator after the priority', good({}).replace('50.', '50-')],
    ['another separator after the time', good({}).replace('123.', '123-')],
    ['too few fields', `fspl-50.1763728496123.0.2.17.${UUID}.fspl`],
    ['one field', 'fspl-50.1763728496123.fspl'],
    ['two', 'fspl-50.1763728496123.0.fspl'],
    ['another beginning', good({}).replace('fspl-', 'fspl_')],
    ['another end', good({}).replace('.fspl', '.fsp')],
  ])('has %s: %s', (_, name) => {
    expect(parseJobName(good({}))).toMatchObject(SIMPLE);
    expect(parseJobName(name)).toBe(undefined);
    if (isJobName(name)) expect(stemOf(name)).toBe(name.slice('fspl-'.length, -'.fspl'.length));
  });

  it.each([
    ['2', '15 digits', '999999999999999', { notBeforeMs: 999_999_999_999_999 }],
    ['4', '15 digits', '999999999999999', { seq: 999_999_999_999_999n }],
    ['4', '16 digits', '9999999999999999', { seq: 9_999_999_999_999_999n }],
    ['4', 'zeros before it', '00000000000000000017', { seq: 17n }],
    ['4', 'the last number', '18446744073709551615', { seq: LAST_SEQUENCE }],
    ['6', 'dots in its stem', 'a.b.c', { stem: 'a.b.c' }],
    ['6', 'one letter', 'x', { stem: 'x' }],
  ] as const)('is not one with, in field %s, %s', (field, _, value, expected) => {
    expect(parseJobName(good({ [field]: value }))).toMatchObject(expected);
  });

  it('says its stem all the same where another name does', () => {
    expect(stemOf(formatJobName(SIMPLE))).toBe(UUID);
    expect(stemOf('fspl-theirs.fspl')).toBe('theirs');
  });
});

describe('a stem', () => {
  it('stays the same whatever else of the name changes', () => {
    fc.assert(
      fc.property(foreignName, fc.record({ ...plain, held: fc.boolean() }), (name, changed) => {
        fc.pre(parseJobName(name) === undefined);
        const first = formatJobName({ ...SIMPLE, stem: stemOf(name) });
        const later = formatJobName({ ...changed, lane: undefined, stem: stemOf(first) });
        expect(stemOf(first)).toBe(stemOf(name));
        expect(stemOf(later)).toBe(stemOf(name));
      }),
    );
  });

  it('of a name that is too long is another one for another name', () => {
    const long = (end: string) => `fspl-${'x'.repeat(200)}${end}.fspl`;
    expect(foreignStem(long('a'))).not.toBe(foreignStem(long('b')));
    expect(encodeBytes(foreignStem(long('a'))).length).toBe(100);
    expect(foreignStem(`fspl-${'x'.repeat(100)}.fspl`)).toBe('x'.repeat(100));
  });

  it('is never empty', () => {
    expect(foreignStem('fspl-.fspl')).toBe('_');
  });
});

describe('a lane in a name', () => {
  it('is any text, of characters that no shell and no file system minds', () => {
    fc.assert(
      fc.property(bytesBut([], { minLength: 0, maxLength: 50 }), (text) => {
        expect(asFileName(text)).toMatch(/^[A-Za-z0-9_%-]*$/);
        expect(decodeLane(asFileName(text))).toBe(text);
      }),
    );
  });

  it('is told from others', () => {
    expect(asFileName('a.b/c d')).toBe('a%2Eb%2Fc%20d');
    expect(asFileName('%41')).not.toBe(asFileName('A'));
  });
});
