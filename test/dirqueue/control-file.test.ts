import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkMetadata,
  formatControl,
  fromMetadata,
  parseControl,
  toMetadata,
} from '../../src/dirqueue/control-file.ts';
import { placeIn } from '../../src/dirqueue/data-file.ts';
import { dataPlaceOf, newJobId, parseJobId } from '../../src/dirqueue/job-id.ts';
import { realMachine } from '../../src/os/real/index.ts';

const submitted = { seconds: 1n, nanos: 2000 };

describe('a control file', () => {
  it('comes out as it went in', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => !/[:\0\n]|^Q.{3}$/su.test(text));
    const value = fc.string({ unit: 'binary' }).filter((text) => !/[\0\n]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key }), (metadata) => {
        checkMetadata(metadata);
        const control = { dataFile: 'q/data/a/b/c', size: 3, submitted, host: 'h', metadata };
        expect(parseControl(formatControl(control))).toEqual(control);
      }),
    );
  });

  it('is never read as what it is not, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = parseControl(bytes);
        if (!('damage' in read)) expect(read.dataFile).toBeTypeOf('string');
      }),
    );
  });

  it.each([
    ['', 'it is empty'],
    ['QDFN: x', 'it ends in the middle of a line'],
    ['\0\0\0\0', 'it ends in the middle of a line'],
    ['QDFN: x\nno colon\n', 'its line 2 is not NAME: VALUE'],
    ['QDSB: 1\n', 'it does not name its data file'],
    ['QDFN: x\n', 'it does not say the size of its data file'],
    ['QDFN: x\nQDSB: -1\n', 'it does not say the size of its data file'],
  ])('%j is damaged', (text, damage) => {
    expect(parseControl(Buffer.from(text))).toEqual({ damage });
  });
});

describe('metadata', () => {
  it.each([
    ['a:b', 'x'],
    ['a\nb', 'x'],
    ['a\0', 'x'],
    ['', 'x'],
    ['QXYZ', 'x'],
    ['Q\u{1f389}YZ', 'x'],
    ['a', 'x\ny'],
    ['a', '\0'],
  ])('%j: %j are refused', (name, value) => {
    expect(() => checkMetadata([[name, value]])).toThrow(expect.objectContaining({ code: 'not-written' }));
  });

  it.each(['Q', 'QXY', 'QXYZA', 'qxyz', 'a b', 'é'])('%j may be a name', (name) => {
    expect(() => checkMetadata([[name, 'value: with colons']])).not.toThrow();
  });

  it('carry params and the time of expiry, and what is none stays metadata', () => {
    const expiresMs = Date.UTC(2030, 0);
    const metadata = toMetadata(['a', 'b\nc', '\udcff'], { FOO: 'bar' }, expiresMs);
    expect(fromMetadata(metadata)).toEqual({
      work: { kind: 'command', params: ['a', 'b\nc', '\udcff'], env: [['FOO', 'bar']] },
      expiresMs,
    });
    for (const value of ['', '{}', '[1]', '["\\u0000"]']) {
      const plain = [['INTRAY_PARAMS', value]] as const;
      expect(fromMetadata(plain).work).toEqual({ kind: 'command', params: [], env: plain });
    }
  });
});

describe('a data file', () => {
  it.each([
    ['q/data/a/b/50.x', { x: 'a', y: 'b', name: '50.x' }],
    ['/gone/queue/data/+/_/n', { x: '+', y: '_', name: 'n' }],
    ['data/a/b/n', { x: 'a', y: 'b', name: 'n' }],
  ])('is found by the tail of %s', (path, place) => {
    expect(placeIn(path)).toEqual(place);
  });

  it.each([
    '/etc/passwd',
    'q/data/../../etc/passwd',
    'q/data/a/./n',
    'q/data/a/b/..',
    'q/data/a/b/',
    'q/data/aa/b/n',
    'q/data/a/n',
    '',
  ])('is not %s', (path) => {
    expect(placeIn(path)).toBeUndefined();
  });
});

it('ids are in the order of priority and time, and say both', () => {
  const micros = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n });
  const priority = fc.integer({ min: 0, max: 99 });
  fc.assert(
    fc.property(priority, micros, priority, micros, (p, t, q, u) => {
      const [a, b] = [newJobId(realMachine, p, t), newJobId(realMachine, q, u)];
      expect(parseJobId(a)).toEqual({ priority: p, addedMs: Number(t / 1000n) });
      if (p !== q) expect(a < b).toBe(p < q);
      else if (t !== u) expect(a < b).toBe(t < u);
      const { x, y, name } = dataPlaceOf(a);
      expect(name + x + y).toBe(a);
    }),
  );
});
