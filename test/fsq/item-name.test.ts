import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Charset, type Constants, constantsFrom, DEFAULTS } from '../../src/fsq/constants.ts';
import {
  byAge,
  bytesOf,
  construct,
  decodeField,
  deconstruct,
  encodeField,
  type Item,
  type NewName,
  textOf,
  withEntropy,
  withTries,
} from '../../src/fsq/item-name.ts';
import { decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import { isQueueError } from '../../src/queue/errors.ts';

const UTC = { utcOffsetSeconds: () => 0 };
const NEW: NewName = { time: '20131005205643', entropy: 0, pid: 25577, host: 'mss', tries: 0, args: [] };

const read = (name: string, constants: Constants = DEFAULTS) => deconstruct(name, constants, UTC);

function item(name: string, constants?: Constants): Item {
  const found = read(name, constants);
  if (found.kind !== 'item') throw new Error(`${name}: ${found.message}`);
  return found;
}

/** Names of files that fsq 0.2.5 made, and two that others put there. */
function goldenNames(): string[] {
  const archive = new URL('../fixtures/fsq/queues.tar.gz', import.meta.url).pathname;
  const listing = execFileSync('tar', ['--quoting-style=literal', '-tzf', archive]);
  return decodeBytes(listing)
    .split('\n')
    .filter((path) => /\/(queue|done)\/./.test(path))
    .map((path) => path.slice(path.lastIndexOf('/') + 1));
}

describe('names that fsq 0.2.5 made', () => {
  const names = goldenNames();

  it('are read, and made the same', () => {
    expect(names.length).toBeGreaterThan(15);
    const items = names
      .filter((name) => name !== 'plainname' && name !== '_malformed')
      .map((name) => item(name));
    for (const { name, time, entropy, pid, host, tries, args } of items) {
      const parts = { time, entropy: Number(entropy), pid: Number(pid), host, tries, args };
      const delimiter = name.slice(0, 1);
      expect(construct(parts, { ...DEFAULTS, delimiter })).toBe(name);
    }
  });

  it('say what was enqueued', () => {
    expect(item('_20261121024708_0_31990_vm_1_under%5fscore_per%25cent_sla%2fsh_spa ce__ünï').args).toEqual([
      'under_score',
      'per%cent',
      'sla/sh',
      'spa ce',
      '',
      'ünï',
    ]);
    expect(item('_20261121024709_0_32009_vm_1_a,b_c%5fd')).toMatchObject({ args: ['a,b', 'c_d'], tries: 1 });
  });

  it('are told from what is none', () => {
    expect(read('plainname')).toMatchObject({ kind: 'malformed' });
    expect(read('_malformed')).toMatchObject({
      kind: 'malformed',
      message: 'its name has 1 field, fewer than the 5 of an item',
    });
  });
});

describe('a name', () => {
  it('is as the manual shows it', () => {
    expect(construct({ ...NEW, args: ['args', 'to', 'enqueue'] }, DEFAULTS)).toBe(
      '_20131005205643_0_25577_mss_0_args_to_enqueue',
    );
    expect(item('_20131005205643_0_25577_mss_0_args_to_enqueue')).toEqual({
      kind: 'item',
      name: '_20131005205643_0_25577_mss_0_args_to_enqueue',
      id: '_20131005205643_0_25577_mss_0_args_to_enqueue',
      time: '20131005205643',
      enqueuedMs: Date.UTC(2013, 9, 5, 20, 56, 43),
      entropy: '0',
      pid: '25577',
      host: 'mss',
      tries: 0,
      args: ['args', 'to', 'enqueue'],
    });
  });

  it('has its own delimiter, whatever ours is', () => {
    expect(item(',20131005205643,0,1,h,0,a_b').args).toEqual(['a_b']);
    expect(item('é20131005205643é0é1éhé0éx').args).toEqual(['x']);
  });

  it('has no arguments, or empty ones', () => {
    expect(item('_20131005205643_0_1_h_0').args).toEqual([]);
    expect(item('_20131005205643_0_1_h_0_').args).toEqual(['']);
    expect(construct({ ...NEW, args: ['', ''] }, DEFAULTS)).toMatch(/_0__$/);
  });

  it('keeps its id when it is tried again', () => {
    const again = withTries('_20131005205643_0_1_h_0_a%5Fb', 12);
    expect(again).toBe('_20131005205643_0_1_h_12_a%5Fb');
    expect(item(again ?? '')).toMatchObject({
      tries: 12,
      id: '_20131005205643_0_1_h_0_a%5Fb',
      args: ['a_b'],
    });
    expect(withEntropy(again ?? '', 3)).toBe('_20131005205643_3_1_h_12_a%5Fb');
  });

  it('that would be too long for a file is not made', () => {
    const fits = construct({ ...NEW, args: ['x'.repeat(225)] }, DEFAULTS);
    expect(fits).toHaveLength(255);
    expect(item(fits).args).toEqual(['x'.repeat(225)]);
    expect(withTries(fits, 9)).toHaveLength(255);
    expect(withTries(fits, 10)).toBeUndefined();
    expect(() => construct({ ...NEW, args: ['x'.repeat(226)] }, DEFAULTS)).toThrow('a name of 256 bytes');
    expect(() => construct({ ...NEW, args: ['é'.repeat(120)] }, DEFAULTS)).toThrow('bytes');
  });

  it.each([
    ['', /1 field/],
    ['_', /1 field/],
    ['_20131005205643_0_1_h', /4 fields/],
    ['_20131005205643_0_1_h_x', /tries/],
    ['_20131005205643_0_1_h_-1', /tries/],
    ['_20131005205643_0_1_h_0_%', /without two digits/],
    ['_20131005205643_0_1_h_0_%2', /without two digits/],
    ['_20131005205643_0_1_h_0_%zz', /without two digits/],
    ['_20131005205643_0_1_h_0_%00', /NUL/],
    ['_yesterday_0_1_h_0', /FSQ_TIMEFMT/],
    ['_20131305205643_0_1_h_0', /FSQ_TIMEFMT/],
    ['_20131005205643_0_1_h_0_\udcff', /FSQ_CHARSET utf8/],
    ['_20131005205643_0_1_h_0_%ff', /FSQ_CHARSET utf8/],
    ['\udcff\udc80', /1 field/],
  ])('is malformed: %j', (name, message) => {
    expect(read(name)).toEqual({ kind: 'malformed', name, message: expect.stringMatching(message) });
  });

  it('holds no NUL, and no bytes that are not in the charset', () => {
    expect(() => construct({ ...NEW, args: ['a\0'] }, DEFAULTS)).toThrow('NUL');
    expect(() => construct({ ...NEW, args: ['\udcff'] }, DEFAULTS)).toThrow('FSQ_CHARSET utf8');
    expect(() => construct({ ...NEW, args: ['é'] }, { ...DEFAULTS, charset: 'ascii' })).toThrow(
      'FSQ_CHARSET ascii',
    );
    const latin1 = { ...DEFAULTS, charset: 'latin1' as const };
    expect(encodeBytes(construct({ ...NEW, args: [bytesOf('é', 'latin1')] }, latin1)).at(-1)).toBe(0xe9);
    expect(item('_20131005205643_0_1_h_0_\udce9', latin1).args.map((arg) => textOf(arg, 'latin1'))).toEqual([
      'é',
    ]);
    expect(() => bytesOf('日', 'latin1')).toThrow('FSQ_CHARSET latin1');
  });
});

describe('for any delimiter, encode character, charset and time format', () => {
  const ascii = fc.integer({ min: 1, max: 127 }).map((code) => String.fromCharCode(code));
  const formats = fc.constantFrom(
    '%Y%m%d%H%M%S',
    '%s',
    '%Y-%m-%dT%H:%M:%S',
    '%d_%b_%Y_%H%M%S',
    '%j/%Y %H%%%M%S',
  );
  const settings = fc
    .tuple(ascii, ascii, formats, fc.constantFrom<Charset>('utf8', 'ascii', 'latin1'))
    .map(([delimiter, encode, format, charset]) => {
      try {
        const env = {
          FSQ_DELIMITER: delimiter,
          FSQ_ENCODE: encode,
          FSQ_TIMEFMT: format,
          FSQ_CHARSET: charset,
        };
        return constantsFrom(new Map(Object.entries(env)));
      } catch (error) {
        if (isQueueError(error, 'bad-setting')) return undefined;
        throw error;
      }
    })
    .filter((constants) => constants !== undefined);
  const anyBytes = fc
    .uint8Array({ maxLength: 12 })
    .map((bytes) => decodeBytes(bytes.filter((byte) => byte !== 0)));
  const fields = (charset: Charset) =>
    fc.array(
      charset === 'latin1'
        ? anyBytes
        : charset === 'utf8'
          ? fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => !text.includes('\0'))
          : fc.array(ascii, { maxLength: 8 }).map((all) => all.join('')),
      {
        maxLength: 5,
      },
    );

  it('what is taken apart is what was put together', () => {
    const cases = settings.chain((constants) =>
      fc.tuple(fc.constant(constants), fields(constants.charset), fc.nat(), fc.nat()),
    );
    fc.assert(
      fc.property(cases, ([constants, args, tries, entropy]) => {
        const time = constants.timeFormat.write({ seconds: 1_381_006_603n, nanos: 0 }, UTC);
        const name = construct({ time, entropy, pid: 7, host: 'a_b%c', tries, args }, constants);
        expect(name).not.toContain('/');
        expect(item(name, constants)).toMatchObject({
          args,
          tries,
          entropy: String(entropy),
          host: 'a_b%c',
          enqueuedMs: 1_381_006_603_000,
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('fields are encoded so that they come out as they went in', () => {
    fc.assert(
      fc.property(settings, anyBytes, (constants, field) => {
        const encoded = encodeField(field, constants);
        expect(encoded).not.toContain(constants.delimiter);
        expect(encoded).not.toContain('/');
        expect(decodeField(encoded, constants.encode)).toBe(field);
      }),
      { numRuns: 1000 },
    );
  });

  it('any name of a file is read or told from an item', () => {
    const names = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 255 }).map(decodeBytes),
      anyBytes.map((tail) => `_20131005205643_0_1_h_0${tail}`),
    );
    fc.assert(
      fc.property(settings, names, (constants, name) => {
        expect(['item', 'malformed']).toContain(read(name, constants).kind);
      }),
    );
  });
});

it('names are in the order of their times, then of their entropies as numbers', () => {
  const names = [
    '_20131005205643_10_1_h_0',
    '_20131005205643_9_1_h_0',
    '_20131005205642_99_1_h_3',
    ',20131005205643,9,2,h,0',
  ];
  expect(
    names
      .map((name) => item(name))
      .sort(byAge)
      .map(({ name }) => name),
  ).toEqual([
    '_20131005205642_99_1_h_3',
    ',20131005205643,9,2,h,0',
    '_20131005205643_9_1_h_0',
    '_20131005205643_10_1_h_0',
  ]);
});
