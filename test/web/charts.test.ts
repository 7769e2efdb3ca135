/** Runs over time: from their records to pictures. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markupText } from '../../src/html/markup.ts';
import { openKeeper } from '../../src/open/open.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { chartsBody } from '../../src/web/pages/charts.ts';
import { type EndedRun, historyOf, readEndedRuns, spanName } from '../../src/web/run-history.ts';
import { addNamed, claimFrom, failNext, homeQueue } from '../support/home-queues.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

const NOON_MS = Date.UTC(2026, 10, 21, 12);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function run(endedMs: number, more: Partial<EndedRun> = {}): EndedRun {
  return { endedMs, succeeded: true, waitedMs: 1000, ranMs: 2000, ...more };
}

describe('the history of runs', () => {
  it('is divided into spans that people know', () => {
    const runs = [
      run(NOON_MS + 1),
      run(NOON_MS + 2, { succeeded: false, ranMs: 8000 }),
      run(NOON_MS + 3 * MINUTE_MS, { waitedMs: undefined }),
    ];
    const history = historyOf(runs);
    expect(history).toEqual({
      spanMs: MINUTE_MS,
      spans: [
        {
          fromMs: NOON_MS,
          succeeded: 1,
          failed: 1,
          waited: { p50: 1000, p95: 1000 },
          ran: { p50: 2000, p95: 8000 },
        },
        { fromMs: NOON_MS + MINUTE_MS, succeeded: 0, failed: 0, waited: undefined, ran: undefined },
        { fromMs: NOON_MS + 2 * MINUTE_MS, succeeded: 0, failed: 0, waited: undefined, ran: undefined },
        {
          fromMs: NOON_MS + 3 * MINUTE_MS,
          succeeded: 1,
          failed: 0,
          waited: undefined,
          ran: { p50: 2000, p95: 2000 },
        },
      ],
    });
    expect(historyOf([])).toBeUndefined();
  });

  it('has room for any times, and loses no run but those before its longest', () => {
    const times = fc.array(fc.integer({ min: 0, max: 300 * DAY_MS }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(times, (all) => {
        const history = historyOf(all.map((ms) => run(ms)));
        expect(history?.spans.length).toBeLessThanOrEqual(48);
        const counted = history?.spans.reduce((sum, { succeeded }) => sum + succeeded, 0);
        expect(counted).toBe(all.length);
      }),
    );
    // Four years between two runs.
    expect(
      historyOf([run(0), run(1500 * DAY_MS)])?.spans.reduce((sum, { succeeded }) => sum + succeeded, 0),
    ).toBe(1);
  });

  it('names days as days', () => {
    const history = historyOf([run(NOON_MS - 30 * DAY_MS), run(NOON_MS)]);
    expect(history?.spans.map((span) => spanName(history, span))[0]).toBe('2026-10-22');
  });

  it('is read from the records of jobs that failed, and of those that are kept', async () => {
    const path = temporary.path('q');
    const queue = await homeQueue(path);
    await addNamed(queue, 'bad');
    await failNext(queue);
    await addNamed(queue, 'good');
    const session = await queue.join({ keepSucceeded: true });
    await (await claimFrom(session)).succeed();
    await session.close();
    const keeper = await openKeeper(realMachine, path);
    const runs = await readEndedRuns(keeper, await keeper.look(), 10);
    expect(runs.map(({ succeeded }) => succeeded).sort()).toEqual([false, true]);
    for (const { waitedMs, ranMs } of runs) {
      expect(waitedMs).toBeGreaterThanOrEqual(0);
      expect(ranMs).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('charts', () => {
  it('say in a table what they draw, and draw nothing outside', () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      run(NOON_MS + index * MINUTE_MS, { ranMs: index * 1000 }),
    );
    const text = markupText(chartsBody(historyOf(runs), 1000));
    expect(text.match(/<svg/g)).toHaveLength(3);
    expect(text).toContain('<th scope="row">2026-11-21 12:39</th><td class="number">1</td>');
    expect(text).toContain('<title>2026-11-21 12:00: 1 succeeded, 0 failed</title>');
    const numbers = [...text.matchAll(/ (?:x|y|cx|cy)="([^"]*)"/g)].map(([, value]) => Number(value));
    expect(numbers.every((value) => value >= 0 && value <= 720)).toBe(true);
  });

  it('say why there are none', () => {
    expect(markupText(chartsBody(undefined, 1000))).toContain('intray work --keep');
  });
});
