import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMs } from '../../src/os/calendar.ts';
import { timeFormat } from '../../src/os/strftime.ts';

const UTC = { utcOffsetSeconds: () => 0 };
const BERLIN = { utcOffsetSeconds: () => 3600 };
const AT = fromMs(Date.UTC(2013, 9, 5, 20, 56, 43, 123));

describe('a time format', () => {
  // As `date -u -d 2013-10-05T20:56:43Z +FORMAT` prints them; %f is Python's.
  it.each([
    ['%Y%m%d%H%M%S', '20131005205643'],
    ['%y-%m-%d %I:%M:%S %p', '13-10-05 08:56:43 PM'],
    ['%a %b %d, %A %B', 'Sat Oct 05, Saturday October'],
    ['%j %w %s %f', '278 6 1381006603 123000'],
    ['%z %%Y', '+0000 %Y'],
  ])('%s writes %s', (format, text) => {
    expect(timeFormat(format)?.write(AT, UTC)).toBe(text);
  });

  it('is that of a clock on the wall', () => {
    expect(timeFormat('%H %z')?.write(AT, BERLIN)).toBe('21 +0100');
    expect(timeFormat('%Y%m%d%H%M%S')?.read('20131005215643', BERLIN)).toBe(Date.UTC(2013, 9, 5, 20, 56, 43));
  });

  it.each([
    ['%Y%m%d%H%M%S', '20131005205643'],
    ['%s', '1381006603'],
    ['%Y.%j.%H.%M.%S', '2013.278.20.56.43'],
    ['%d %b %y %I:%M:%S%p', '05 Oct 13 08:56:43PM'],
    ['%Y-%m-%dT%H:%M:%S%z', '2013-10-05T22:56:43+0200'],
  ])('%s reads %s', (format, text) => {
    expect(timeFormat(format)?.read(text, UTC)).toBe(Date.UTC(2013, 9, 5, 20, 56, 43));
  });

  it.each([
    ['%Y%m%d', '20131305'],
    ['%Y%m%d', '20130230'],
    ['%H', '24'],
    ['%Y', '13'],
    ['%Y', ' 2013'],
    ['a.c', 'abc'],
  ])('%s does not take %s', (format, text) => {
    expect(timeFormat(format)?.read(text, UTC)).toBeUndefined();
  });

  it.each(['%', '%Q', 'x%', '%E'])('is none: %s', (format) => {
    expect(timeFormat(format)).toBeUndefined();
  });

  it('reads what it has written', () => {
    const formats = fc.constantFrom('%Y%m%d%H%M%S', '%s', '%Y %j %I %p %M %S', '%A %d %B %Y %H_%M_%S %z');
    const seconds = fc.integer({ min: Date.UTC(1971, 0) / 1000, max: Date.UTC(2100, 0) / 1000 });
    const offsets = fc.integer({ min: -14 * 4, max: 14 * 4 }).map((quarters) => quarters * 900);
    fc.assert(
      fc.property(formats, seconds, offsets, (format, at, offset) => {
        const clock = { utcOffsetSeconds: () => offset };
        const known = timeFormat(format);
        expect(known?.read(known.write(fromMs(at * 1000), clock), clock)).toBe(at * 1000);
      }),
    );
  });
});
