/** The judge of the lane storm finds what it is there to find. */

import { describe, expect, it } from 'vitest';
import { problemsOf, readLaneHistory } from './support/lane-command.ts';

const judge = (lines: string[], ...accepted: string[]) =>
  problemsOf(readLaneHistory(lines.map((line) => `${line}\n`).join('')), new Set(accepted));

describe('a history of lanes', () => {
  it('is good when each lane ran in its order, runs that were broken off and repeated included', () => {
    const good = [
      ...['start a 1 x', 'start b 1 y', 'start - 77 free', 'start a 1 x', 'end a 1 x', 'end - 77 free'],
      ...['start a 2 z', 'end b 1 y', 'end a 2 z', 'start a 2 z', 'end a 2 z'],
    ];
    expect(judge(good, 'x', 'y', 'z', 'free')).toEqual([]);
  });

  it.each([
    ['a job that never ended', ['start a 1 x'], ['accepted and never run to its end: x']],
    ['a job that never ran', ['start a 1 y', 'end a 1 y'], ['accepted and never run to its end: x']],
    [
      'a job out of order',
      ['start a 2 y', 'end a 2 y', 'start a 1 x', 'end a 1 x'],
      ['lane a: 2 was started after 0', 'lane a: 1 was started after 2'],
    ],
    [
      'a job before the end of the one before',
      ['start a 1 y', 'start a 2 x', 'end a 1 y', 'end a 2 x'],
      ['lane a: 2 was started and 1 had not ended'],
    ],
    ['two runs at once', ['start a 1 x', 'overlap a 1 x', 'start a 1 x', 'end a 1 x'], ['overlap: x (a 1)']],
    ['half a payload', ['start - 5 x', 'torn - 5 x', 'end - 5 x'], ['torn: x (- 5)']],
  ])('tells of %s', (_, lines, problems) => {
    expect(judge(lines, 'x')).toEqual(problems);
  });
});
