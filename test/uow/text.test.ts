import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, decodeBytes, encodeBytes } from '../../src/os/bytes.ts';
import {
  compareStamps,
  frontOf,
  HEAD_LIMIT_BYTES,
  parseUnit,
  SLOT_BYTES,
  statusBytes,
  type Unit,
} from '../../src/uow/text.ts';

const STAMP = { seconds: 1_795_224_618, ordinal: 0 };

function unitOf(text: string | Uint8Array): Unit {
  const parsed = parseUnit(typeof text === 'string' ? encodeBytes(text) : text);
  if (parsed.kind !== 'unit') throw new Error(parsed.reason);
  return parsed.unit;
}

function wrongWith(text: string): string | undefined {
  const parsed = parseUnit(encodeBytes(text));
  return parsed.kind === 'invalid' ? parsed.reason : undefined;
}

const WHOLE = `timestamp: 1795224618-2 enqueued

==== UNIT OF WORK

JOB :: deploy
SITE NAME::www.example.org
EMPTY ::

==== STATUS
error: exit code 3
==== JOB LOG
first
==== STATUS
==== UNIT OF WORK
`;

describe('reading a unit of work', () => {
  it('finds all its parts', () => {
    const unit = unitOf(WHOLE);
    expect(unit.stamp).toEqual({ seconds: 1_795_224_618, ordinal: 2 });
    expect([...unit.items]).toEqual([
      ['JOB', 'deploy'],
      ['SITE NAME', 'www.example.org'],
      ['EMPTY', ''],
    ]);
    expect(unit.status).toBe('error: exit code 3');
    expect(WHOLE.slice(unit.logAt)).toMatch(/^first\n==== STATUS/);
  });

  it('needs no more than a header', () => {
    const unit = unitOf('==== UNIT OF WORK\nA :: b');
    expect(unit).toMatchObject({ stamp: undefined, status: '', slot: undefined, logAt: undefined });
    expect([...unit.items]).toEqual([['A', 'b']]);
    expect([...unitOf('\n\n==== UNIT OF WORK\n').items]).toEqual([]);
  });

  it('bears the line ends and the mark of Windows', () => {
    const unit = unitOf(
      `\ufefftimestamp: 5 enqueued\r\n==== UNIT OF WORK\r\nA :: b c\r\n==== STATUS\r\n\r\n==== JOB LOG\r\n`,
    );
    expect(unit.stamp?.seconds).toBe(5);
    expect(unit.items.get('A')).toBe('b c');
  });

  it('keeps bytes that are not UTF-8', () => {
    const unit = unitOf(concatBytes([encodeBytes('==== UNIT OF WORK\nA :: '), Uint8Array.of(0xff, 0x80)]));
    expect(encodeBytes(unit.items.get('A') ?? '')).toEqual(Uint8Array.of(0xff, 0x80));
  });

  it.each([
    ['', 'it has no line `==== UNIT OF WORK`'],
    ['hello', 'line 1: Expected `timestamp: SECONDS enqueued` on the first line, or `==== UNIT OF WORK`'],
    ['timestamp: yesterday enqueued\n', 'line 1: Expected `timestamp'],
    ['\ntimestamp: 5 enqueued\n==== UNIT OF WORK', 'line 2: Expected `timestamp'],
    ['==== UNIT OF WORK\nno item\n', 'line 2: Expected `NAME :: CONTENT`'],
    ['==== UNIT OF WORK\n:: content\n', 'line 2: Expected `NAME :: CONTENT`'],
    ['==== UNIT OF WORK\nA :: 1\nA :: 2\n', 'line 3: "A" is there twice'],
    ['==== STATUS\n==== UNIT OF WORK\n', 'line 1: the section UNIT OF WORK comes first'],
    ['==== UNIT OF WORK\n==== STATUS\none\ntwo\n', 'line 4: STATUS has one line; this is a second one'],
    [
      '==== UNIT OF WORK\n==== UNIT OF WORK\n',
      'line 2: the section UNIT OF WORK is there twice, or too late',
    ],
    ['==== UNIT OF WORK\n==== NOTES\n', 'line 2: there is no section "NOTES"'],
    ['A\0B', 'line 1: it is not text, or not UTF-8: it has NUL bytes'],
  ])('refuses %j', (text, reason) => {
    expect(wrongWith(text)).toContain(reason);
  });

  it('is quick with a hostile line', () => {
    const spaces = ' '.repeat(HEAD_LIMIT_BYTES - 100);
    expect(wrongWith(`==== UNIT OF WORK\na${spaces}b`)).toBe('line 2: Expected `NAME :: CONTENT`');
  });
});

describe('the front of a unit', () => {
  const item = fc.record({
    name: fc.stringMatching(/^[A-Za-z][\w ]{0,20}\w$/),
    content: fc.stringMatching(/^([!-~]([ -~]{0,40}[!-~])?)?$/),
  });
  const items = fc.uniqueArray(item, { selector: ({ name }) => name, maxLength: 8 });

  it('leaves header and log as they are, and can take any status', () => {
    fc.assert(
      fc.property(
        items,
        fc.uint8Array({ maxLength: 200 }),
        fc.string(),
        fc.boolean(),
        (pairs, log, status, crlf) => {
          const end = crlf ? '\r\n' : '\n';
          const lines = pairs.map(({ name, content }) => `${name} :: ${content}${end}`).join('');
          const header = `==== UNIT OF WORK${end}${lines}${end}`;
          const file = concatBytes([encodeBytes(`${header}==== JOB LOG${end}`), log]);
          const before = unitOf(file);
          const made = concatBytes([frontOf(file, before, STAMP, 'before'), file.subarray(before.logAt)]);
          expect(decodeBytes(made)).toContain(header);

          const unit = unitOf(made);
          expect(unit.stamp).toEqual(STAMP);
          expect([...unit.items]).toEqual(pairs.map(({ name, content }) => [name, content]));
          expect(unit.status).toBe('before');
          expect(made.subarray(unit.logAt)).toEqual(log);

          const slot = unit.slot ?? { at: 0, bytes: 0 };
          expect(slot.bytes).toBe(SLOT_BYTES);
          made.set(statusBytes(`done: ${status}`, slot.bytes), slot.at);
          const after = unitOf(made);
          expect(after.status.startsWith('done:')).toBe(true);
          expect(after.items).toEqual(unit.items);
          expect(made.subarray(after.logAt)).toEqual(log);
        },
      ),
    );
  });

  it('does not take a line for a slot that would make two of the status', () => {
    const wide = ' '.repeat(SLOT_BYTES);
    expect(unitOf(`==== UNIT OF WORK\n==== STATUS\nmine\n${wide}\n==== JOB LOG\n`).slot).toBeUndefined();
    expect(unitOf(`==== UNIT OF WORK\n==== STATUS\n${wide}\nmine\n==== JOB LOG\n`).slot).toBeUndefined();
    expect(unitOf(`==== UNIT OF WORK\n==== STATUS\n${wide}\n==== JOB LOG\n`).slot?.bytes).toBe(SLOT_BYTES);
  });

  it('cuts a status at a character', () => {
    const bytes = statusBytes(`fail: ${'é'.repeat(200)}`, SLOT_BYTES);
    expect(bytes).toHaveLength(SLOT_BYTES);
    expect(decodeBytes(bytes).trimEnd()).toMatch(/^fail: é+$/);
  });
});

describe('timestamps', () => {
  it('are ordered by time, then by ordinal', () => {
    const stamps = [
      [2, 0],
      [1, 10],
      [1, 9],
    ].map(([seconds = 0, ordinal = 0]) => ({ seconds, ordinal }));
    expect(stamps.sort(compareStamps).map(({ seconds, ordinal }) => `${seconds}-${ordinal}`)).toEqual([
      '1-9',
      '1-10',
      '2-0',
    ]);
  });
});
