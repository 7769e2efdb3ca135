/** The screen as text, at several sizes. */

import { describe, expect, it } from 'vitest';
import { frame, type Moment, type Size } from '../../../src/cli/intray/top/frame.ts';
import { Painter, paint } from '../../../src/cli/intray/top/paint.ts';
import type { Picture } from '../../../src/cli/intray/top/picture.ts';
import { SECTIONS } from '../../../src/cli/intray/top/rows.ts';
import { type State, startState } from '../../../src/cli/intray/top/state.ts';
import { lineWidth, plainText } from '../../../src/cli/intray/top/text.ts';
import type { Sequence } from '../../../src/packet/header.ts';
import {
  aWorker,
  failedJob,
  lane,
  NOW_MS,
  picture,
  runningJob,
  seenQueue,
  waitingJob,
} from '../../support/pictures.ts';

const MOMENT: Moment = { nowMs: NOW_MS, intervalMs: 2000, clock: () => '13:59:00' };

const exit = {
  attempt: 1,
  outcome: 'failed',
  worker: 'w',
  ended: '2026-11-21T13:58:00Z',
  reason: 'exit code 75',
} as const;
const dead = aWorker('vm.13.bbbb', { life: 'dead' });
const HOSTILE = 'a\x1b[31m\x1b]0;x\x07b\n\u202e日本語🎉';
const BUSY = seenQueue('/var/spool/queues/mail', {
  running: [
    runningJob('11111111-aa', aWorker(), { lane: 'alice', seq: 7n as Sequence }),
    runningJob('22222222-bb', dead, { attempts: 3 }),
  ],
  waiting: [
    waitingJob(
      '33333333-cc',
      { kind: 'behind', seq: 7n as Sequence, running: true },
      { lane: 'alice', seq: 8n as Sequence },
    ),
    waitingJob('44444444-dd', { kind: 'delayed', untilMs: NOW_MS + 7_200_000 }),
    waitingJob('55555555-ee', { kind: 'gap', missing: 2n as Sequence }, { lane: 'bob', seq: 3n as Sequence }),
    waitingJob('66666666-ff', { kind: 'held', failed: exit }, { lane: HOSTILE, held: true, attempts: 1 }),
  ],
  lanes: [
    lane('alice', { next: 7n as Sequence, running: 1 }),
    lane('bob', { next: 2n as Sequence, missing: 2n as Sequence }),
    lane(HOSTILE),
  ],
  failed: [failedJob('77777777-ab')],
  workers: [aWorker(), dead],
  details: {
    params: new Map([['11111111-aa', '--to alice@example.org']]),
    said: new Map([['11111111-aa', 'sent 12 of 30 写真']]),
    failures: new Map([['77777777-ab', { reason: 'it ended with exit code 1', endedMs: NOW_MS - 120_000 }]]),
  },
});
const ALL = picture(
  BUSY,
  seenQueue('/var/spool/queues/idle'),
  seenQueue('/var/spool/queues/paused', { paused: true, waiting: [waitingJob('p')] }),
  {
    kind: 'unseen',
    name: `/var/spool/queues/${HOSTILE}`,
    rates: { tenSeconds: undefined, minute: undefined },
    problem: 'it is not a queue',
  },
);

const START = startState([]);
const MAIL: State = { ...START, queue: BUSY.name };

function text(seen: Picture, columns: number, rows: number, state = START, moment = MOMENT): string {
  return `\n${frame(seen, { columns, rows }, state, moment).map(plainText).join('\n')}\n`;
}

describe('the overview', () => {
  it('at 100 x 10', () => {
    expect(text(ALL, 100, 10)).toMatchInlineSnapshot(`
      "
      intray top  4 queues, 5 waiting, 2 running, 2 failed                                        13:59:00
        QUEUE                   WAIT  RUN  FAIL  OLDEST  J/S 10s  J/S 1m  WORKERS  STATE
      > /var/spool/queues/mail     4    2     2      1m      1.3      20        1  held up, gap, dead wor…
        /var/spool/queues/idle     0    0     0              1.3      20        0  idle
        …r/spool/queues/paused     1    0     0      1m      1.3      20        0  paused
        …\\x07b\\n\\u202e日本語🎉                                                     it is not a queue



      q quit  ? help  Enter open  / filter  p pause  ↑↓ choose
      "
    `);
  });

  it('at 40 x 8', () => {
    expect(text(ALL, 40, 8)).toMatchInlineSnapshot(`
      "
      intray top  4 queues, 5 waitin… 13:59:00
        QUEUE      WAIT  RUN  FAIL  STATE
      > …ues/mail     4    2     2  held up, …
        …ues/idle     0    0     0  idle
        …s/paused     1    0     0  paused
        …日本語🎉                   it is not…

      q quit  ? help  Enter open  / filter  p…
      "
    `);
  });

  it('in a pipe is whole, without cursor and keys', () => {
    expect(text(ALL, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toMatchInlineSnapshot(`
      "
      intray top  4 queues, 5 waiting, 2 running, 2 failed  13:59:00
        QUEUE                                                     WAIT  DELAYED  RUN  FAIL  OLDEST  J/S 10s  J/S 1m  WORKERS  STATE
        /var/spool/queues/mail                                       4        1    2     2      1m      1.3      20        1  held up, gap, dead worker
        /var/spool/queues/idle                                       0        0    0     0              1.3      20        0  idle
        /var/spool/queues/paused                                     1        0    0     0      1m      1.3      20        0  paused
        /var/spool/queues/a\\x1b[31m\\x1b]0;x\\x07b\\n\\u202e日本語🎉                                                              it is not a queue
      "
    `);
  });

  it('says when its picture is old', () => {
    const late = { ...MOMENT, nowMs: NOW_MS + 30_000 };
    expect(text(ALL, 100, 10, START, late)).toContain('13:59:00, 30s old');
    expect(text(ALL, 100, 10, START, { ...late, intervalMs: 20_000 })).not.toContain('old');
  });

  it('says why there is nothing', () => {
    expect(text(picture(), 40, 4)).toContain('There is no queue here.');
    const filters = { overview: 'nothing', queue: '' };
    expect(text(ALL, 60, 4, { ...START, filters })).toContain('No queue passes the filter.');
    expect(text({ ...ALL, problem: 'it is gone' }, 60, 4)).toContain('it is gone');
  });
});

describe('a queue', () => {
  it('at 120 x 36', () => {
    expect(text(ALL, 120, 36, MAIL)).toMatchInlineSnapshot(`
      "
      /var/spool/queues/mail  held up, gap, dead worker                                                               13:59:00
      4 waiting (1 delayed, 1 held, 1 behind a gap), 2 running, 2 failed, oldest 1m 30s, 1.3 jobs/s (1m: 20)
      ! 1 job failed: see \`intray ls /var/spool/queues/mail --failed\`
       Running 2
        JOB       WORKER        LANE   NUMBER  TRY    FOR  PARAMS                  LAST OUTPUT
      > 11111111  vm:12         alice       7    1  1m 5s  --to alice@example.org  sent 12 of 30 写真
        22222222  vm:12 (dead)                   3  1m 5s
       Lanes 3
        LANE                                    NEXT  WAIT  WHY
        bob                                        2     1  job 2 is missing
        a\\x1b[31m\\x1b]0;x\\x07b\\n\\u202e日本語🎉     1     1  failed: exit code 75
        alice                                      7     1  running
       Waiting 4
        JOB       STATE          LANE                                    NUMBER  PRIO  AGE  TRIES
        33333333  behind 7       alice                                        8    50   1m      0
        44444444  delayed 2h                                                       50   1m      0
        55555555  gap at 2       bob                                          3    50   1m      0
        66666666  failed, holds  a\\x1b[31m\\x1b]0;x\\x07b\\n\\u202e日本語🎉       1    50   1m      1
       Failed 2
        JOB       LANE                                    TRIES  AGO  REASON
        66666666  a\\x1b[31m\\x1b]0;x\\x07b\\n\\u202e日本語🎉      1   1m  exit code 75; holds up its lane
        77777777                                              0   2m  it ended with exit code 1
       Workers 2
        WORKER  STATE  FOR  HEARD  JOBS
        vm:12   alive   1h     5s     1
        vm:12   dead    1h     5s     1









      q quit  ? help  Esc back  Tab list  / filter  p pause  r retry  ↑↓ choose
      "
    `);
  });

  it('at 80 x 24', () => {
    expect(text(ALL, 80, 24, { ...MAIL, section: 'failed' })).toMatchInlineSnapshot(`
      "
      /var/spool/queues/mail  held up, gap, dead worker                       13:59:00
      4 waiting (1 delayed, 1 held, 1 behind a gap), 2 running, 2 failed, oldest 1m 3…
      ! 1 job failed: see \`intray ls /var/spool/queues/mail --failed\`
       Running 2
        JOB       WORKER        LANE   TRY    FOR  PARAMS            LAST OUTPUT
        11111111  vm:12         alice    1  1m 5s  --to alice@exam…  sent 12 of 30 写…
        22222222  vm:12 (dead)           3  1m 5s
       Lanes 3   1-2 of 3
        LANE                                    NEXT  WAIT  WHY
        bob                                        2     1  job 2 is missing
        a\\x1b[31m\\x1b]0;x\\x07b\\n\\u202e日本語🎉     1     1  failed: exit code 75
       Waiting 4   1-2 of 4
        JOB       STATE       LANE   NUMBER  PRIO  AGE  TRIES
        33333333  behind 7    alice       8    50   1m      0
        44444444  delayed 2h                   50   1m      0
       Failed 2
        JOB       LANE                         TRIES  AGO  REASON
      > 66666666  a\\x1b[31m\\x1b]0;x\\x07b\\n\\u…      1   1m  exit code 75; holds up its…
        77777777                                   0   2m  it ended with exit code 1
       Workers 2
        WORKER  STATE  FOR  HEARD  JOBS
        vm:12   alive   1h     5s     1
        vm:12   dead    1h     5s     1
      q quit  ? help  Esc back  Tab list  / filter  p pause  r retry  ↑↓ choose
      "
    `);
  });

  it.each(SECTIONS)('at 40 x 10: %s', (section) => {
    expect(text(ALL, 40, 10, { ...MAIL, section })).toMatchSnapshot();
  });

  it('that is gone or cannot be read says so', () => {
    expect(text(ALL, 60, 5, { ...START, queue: '/gone' })).toContain('not there any more');
    const unseen = ALL.queues[3]?.name;
    expect(text(ALL, 60, 5, { ...START, queue: unseen })).toContain('it is not a queue');
  });

  it('shows of a long list the part around the chosen row', () => {
    const many = seenQueue('/q', { waiting: Array.from({ length: 90 }, (_, at) => waitingJob(`job${at}`)) });
    const state: State = {
      ...START,
      queue: '/q',
      section: 'waiting',
      choices: { ...START.choices, waiting: { key: 'job50', at: 50 } },
    };
    const shown = text(picture(many), 60, 12, state);
    expect(shown).toMatch(/^> job50 /m);
    expect(shown).not.toContain('job10');
  });

  it('shows as much of each id as tells it from the others', () => {
    const waiting = ['_20261121163645_0_1_vm', '_20261121163645_1_1_vm', '9f1e44d0-aaaa'].map((id) =>
      waitingJob(id),
    );
    const shown = text(picture(seenQueue('/q', { waiting })), 80, 24, { ...START, queue: '/q' });
    expect(shown).toMatch(/_20261121163645_0 +ready/);
    expect(shown).toMatch(/_20261121163645_1 +ready/);
    expect(shown).toMatch(/9f1e44d0 +ready/);
  });

  it('lists the first hundred that pass the filter', () => {
    const waiting = Array.from({ length: 300 }, (_, at) => waitingJob(`job${at}x`));
    const filtered: State = { ...START, queue: '/q', filters: { overview: '', queue: 'JOB29' } };
    const all = { columns: 80, rows: Number.POSITIVE_INFINITY };
    const lines = (state: State) =>
      frame(picture(seenQueue('/q', { waiting })), all, state, MOMENT).filter((line) =>
        /^ +job\d/.test(plainText(line)),
      );
    expect(lines({ ...START, queue: '/q' })).toHaveLength(100);
    expect(lines(filtered)).toHaveLength(11);
  });
});

describe('the last line', () => {
  it('asks, takes the filter, and says what came of it', () => {
    const question = { text: 'Pause /q?', act: { kind: 'pause', queue: '/q' } } as const;
    expect(text(ALL, 60, 3, { ...START, question })).toContain('Pause /q? (y/n)');
    const filters = { overview: 'mai', queue: '' };
    expect(text(ALL, 60, 3, { ...START, filters, typing: true })).toContain('\n/mai_\n');
    expect(text(ALL, 60, 3, { ...START, notice: 'Done.' })).toContain('\nDone.\n');
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202e]/;

describe('every screen', () => {
  const sizes: Size[] = [1, 2, 7, 20, 40, 63, 80, 81, 120, 300].flatMap((columns) =>
    [1, 2, 3, 5, 10, 14, 24, 40, 80].map((rows) => ({ columns, rows })),
  );
  const states: State[] = [
    START,
    { ...START, help: true },
    ...SECTIONS.map((section): State => ({ ...MAIL, section })),
    { ...MAIL, notice: HOSTILE },
    { ...MAIL, filters: { overview: '', queue: HOSTILE }, typing: true },
  ];

  it('has exactly its size, and nothing that controls a terminal', () => {
    for (const size of sizes) {
      for (const state of states) {
        const lines = frame(ALL, size, state, MOMENT);
        expect(lines).toHaveLength(size.rows);
        for (const line of lines) {
          expect(lineWidth(line), `${JSON.stringify(size)} ${plainText(line)}`).toBeLessThanOrEqual(
            size.columns,
          );
          expect(plainText(line)).not.toMatch(CONTROL);
        }
      }
    }
  });
});

describe('painting', () => {
  const plain = (words: string) => [{ text: words, style: 'plain' }] as const;

  it('writes what has changed, and no more', () => {
    const painter = new Painter('colour');
    expect(painter.update([plain('one'), plain('two')], 10)).toBe(
      '\x1b[?2026h\x1b[0m\x1b[2J\x1b[1;1Hone\x1b[K\x1b[2;1Htwo\x1b[K\x1b[?2026l',
    );
    expect(painter.update([plain('one'), plain('two')], 10)).toBe('');
    expect(painter.update([plain('one'), plain('2')], 10)).toBe('\x1b[?2026h\x1b[2;1H2\x1b[K\x1b[?2026l');
    painter.forget();
    expect(painter.update([plain('one'), plain('2')], 10)).toContain('\x1b[2J\x1b[1;1Hone');
  });

  it('erases nothing behind a line that is full', () => {
    expect(new Painter('plain').update([plain('12345')], 5)).toBe(
      '\x1b[?2026h\x1b[0m\x1b[2J\x1b[1;1H12345\x1b[?2026l',
    );
  });

  it('has colours, or only what is bold and reversed, or nothing', () => {
    const line = [
      { text: 'a', style: 'bad' },
      { text: 'b', style: 'bar' },
    ] as const;
    expect(paint(line, 'colour')).toBe('\x1b[31ma\x1b[0m\x1b[7mb\x1b[0m');
    expect(paint(line, 'no-colour')).toBe('a\x1b[7mb\x1b[0m');
    expect(paint(line, 'plain')).toBe('ab');
  });
});
