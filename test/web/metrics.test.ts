/** What `intray metrics` prints is OpenMetrics, and true. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intray } from '../../src/cli/intray/main.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { pause } from '../../src/spool/home/rooms.ts';
import { openMetricsText } from '../../src/web/openmetrics.ts';
import { countsWithin, quantile } from '../../src/web/run-numbers.ts';
import { addNamed, claimFrom, deadWorker, failNext, fileOf, homeQueue } from '../support/home-queues.ts';
import { listening } from '../support/spoken.ts';
import { useTemporary } from '../support/temporary.ts';
import { offencesIn } from './openmetrics-rules.ts';

const temporary = useTemporary();
const q = (...names: string[]) => temporary.path('q', ...names);

async function metrics(...argv: string[]) {
  const { machine, said } = listening();
  const status = await intray(machine, ['metrics', ...argv]);
  return { status, ...said };
}

/** The values of a text by `name{labels}`, the queue left out. */
function valuesOf(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name = '', labels = '', value] of text.matchAll(/^(\w+)\{queue="[^"]*",?([^}]*)\} (\S+)$/gm))
    values.set(labels === '' ? name : `${name} ${labels}`, Number(value));
  return values;
}

/** As many of everything as differ from each other. */
async function queueOfAllSorts(): Promise<void> {
  const queue = await homeQueue(q());
  await addNamed(queue, 'bad');
  await failNext(queue);
  await addNamed(queue, 'holds', { lane: 'held' });
  await failNext(queue, 'no', 'hold');
  const died = await addNamed(queue, 'died');
  deadWorker(q(), fileOf(q(), died));
  for (const name of ['a', 'b', 'c']) await addNamed(queue, name);
  for (const name of ['a', 'b']) await addNamed(queue, name, { notBefore: new Date('2099-01-01') });
  for (const name of ['first', 'second']) await addNamed(queue, name, { lane: 'alice' });
}

describe('intray metrics', () => {
  it('says what is in a queue', async () => {
    await queueOfAllSorts();
    await pause(realMachine, q());
    const { stdout, status } = await metrics(q());
    expect(offencesIn(stdout)).toEqual([]);
    expect(status).toBe(0);
    const values = valuesOf(stdout);
    expect(Object.fromEntries(values)).toMatchObject({
      intray_queue_up: 1,
      intray_queue_paused: 1,
      'intray_jobs state="ready"': 4,
      'intray_jobs state="delayed"': 2,
      'intray_jobs state="behind"': 1,
      'intray_jobs state="failed"': 2,
      'intray_jobs state="held"': 0,
      'intray_jobs state="running"': 1,
      'intray_jobs state="gap"': 0,
      'intray_workers life="dead"': 1,
      'intray_workers life="alive"': 0,
      'intray_workers life="alone"': 0,
      'intray_lanes state="held"': 1,
      'intray_lanes state="waiting"': 1,
      intray_damaged_files: 0,
      intray_most_attempts: 1,
      'intray_recorded_runs outcome="failed"': 2,
    });
    expect(values.get('intray_recorded_run_seconds share="1"')).toBeLessThan(60);
    expect(values.get('intray_oldest_ready_age_seconds')).toBeLessThan(60);
  });

  it('counts the age of a ready job from when it could have started', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'later', { notBefore: new Date(1_700_000_000_000) });
    const { machine, said } = listening({
      clock: { ...realMachine.clock, now: () => ({ seconds: 1_900_000_000n, nanos: 0 }) },
    });
    await intray(machine, ['metrics', q()]);
    const values = valuesOf(said.stdout);
    const age = values.get('intray_oldest_ready_age_seconds') ?? 0;
    expect(age).toBe(values.get('intray_oldest_waiting_age_seconds'));
    expect(age).toBeGreaterThan(1);
    expect(age).toBeLessThan(200_000_000);
  });

  it('says of a queue that cannot be looked at that it cannot, and of the others what it says', async () => {
    await homeQueue(q());
    const { stdout, stderr, status } = await metrics(q(), temporary.path('none'));
    expect(offencesIn(stdout)).toEqual([]);
    expect(stdout).toContain(`intray_queue_up{queue="${q()}"} 1\n`);
    expect(stdout).toContain(`intray_queue_up{queue="${temporary.path('none')}"} 0\n`);
    expect(stdout.match(/none"/g)).toHaveLength(1);
    expect(stderr).toContain('not a queue');
    expect(status).toBe(1);
  });

  it('counts a queue once that is named twice', async () => {
    await homeQueue(q());
    const { stdout } = await metrics(q(), temporary.path(), q());
    expect(offencesIn(stdout)).toEqual([]);
    expect(stdout.match(/^intray_queue_up/gm)).toHaveLength(1);
  });

  it.each(['a"b', 'a\\b', 'a\nb', 'a\u202eb', '{}=,'])('escapes a queue called %j', async (name) => {
    await homeQueue(temporary.path(name));
    const { stdout } = await metrics(temporary.path(name));
    expect(offencesIn(stdout)).toEqual([]);
    expect(stdout).toMatch(/^intray_queue_up\{queue=".*"\} 1$/m);
  });

  it('reads the records of no more jobs than it is told', async () => {
    const queue = await homeQueue(q());
    for (const name of ['a', 'b', 'c']) {
      await addNamed(queue, name);
      await failNext(queue);
    }
    const failed = async (runs: string) =>
      valuesOf((await metrics(q(), '--runs', runs)).stdout).get('intray_recorded_runs outcome="failed"');
    expect(await failed('2')).toBe(2);
    expect(await failed('3')).toBe(3);
    expect(await failed('0')).toBeUndefined();
  });

  it('counts how long runs took, how long jobs had waited, and how often they were started', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'a');
    const [{ createdAt } = { createdAt: { seconds: 0n, nanos: 0 } }] = (await queue.jobs()).jobs;
    const stem = await failNext(queue);
    const at = (seconds: number) => new Date((Number(createdAt.seconds) + seconds) * 1000).toISOString();
    const records = [
      { attempt: 1, outcome: 'retry', started: at(90), ended: at(95) },
      { attempt: 2, outcome: 'died', started: at(150), ended: at(160) },
      { attempt: 3, outcome: 'failed', started: at(200), ended: at(2200) },
    ];
    const lines = records.map((record) => `${JSON.stringify({ worker: 'w', ...record })}\n`);
    writeFileSync(q('log', `${stem}.jsonl`), lines.join(''));
    const { stdout } = await metrics(q());
    expect(offencesIn(stdout)).toEqual([]);
    const values = valuesOf(stdout);
    const counts = (of: string, ...bounds: string[]) =>
      bounds.map((bound) => values.get(`intray_recorded_${of}_within le="${bound}"`));
    expect(counts('runs', '1', '10', '1800', '3600', '+Inf')).toEqual([0, 1, 1, 2, 2]);
    expect(counts('waits', '60', '300', '+Inf')).toEqual([0, 1, 1]);
    expect(counts('starts', '2', '3', '+Inf')).toEqual([0, 1, 1]);
  });

  it('tries how long syncs take when it is asked to, and leaves nothing behind', async () => {
    await homeQueue(q());
    const before = readdirSync(q());
    expect((await metrics(q())).stdout).not.toContain('sync');
    let syncs = 0;
    const { machine, said } = listening({
      files: {
        ...realMachine.files,
        fsync: () => {
          syncs += 1;
        },
      },
      clock: { ...realMachine.clock, monotonicMs: () => 50 * syncs ** 2 },
    });
    expect(await intray(machine, ['metrics', q(), '--probe'])).toBe(0);
    // The nth sync took from 50 (n - 1)^2 to 50 n^2 ms.
    const values = valuesOf(said.stdout);
    expect(values.get('intray_probed_sync_seconds share="0.5"')).toBe(0.35);
    expect(values.get('intray_probed_sync_seconds share="1"')).toBe(0.75);
    expect(syncs).toBe(8);
    expect(readdirSync(q())).toEqual(before);
  });

  it('says where no sync can be tried, and all the rest', async () => {
    await homeQueue(q());
    const { machine, said } = listening({
      files: {
        ...realMachine.files,
        open: (path, mode) => {
          if (mode === 'create')
            throw Object.assign(new Error('EROFS'), { code: 'EROFS', syscall: 'open', path });
          return realMachine.files.open(path, mode);
        },
      },
    });
    expect(await intray(machine, ['metrics', q(), '--probe'])).toBe(1);
    expect(said.stderr).toContain('no sync can be tried: the file system is read-only');
    expect(valuesOf(said.stdout).get('intray_queue_up')).toBe(1);
  });

  it('counts workers and what they run', async () => {
    const queue = await homeQueue(q());
    await addNamed(queue, 'a');
    const session = await queue.join();
    await claimFrom(session);
    const values = valuesOf((await metrics(q())).stdout);
    await session.close();
    expect(values.get('intray_workers life="alive"')).toBe(1);
    expect(values.get('intray_jobs state="running"')).toBe(1);
  });
});

describe('intray metrics --output', () => {
  it('replaces a file as a whole, which others may read', async () => {
    await homeQueue(q());
    const file = temporary.path('intray.prom');
    writeFileSync(file, 'old');
    const before = statSync(file).ino;
    const { stdout, status } = await metrics(q(), '-o', file);
    expect(status).toBe(0);
    expect(stdout).toBe('');
    expect(offencesIn(readFileSync(file, 'utf8'))).toEqual([]);
    expect(statSync(file).ino).not.toBe(before);
    expect(statSync(file).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(readdirSync(temporary.path()).sort()).toEqual(['intray.prom', 'q']);
  });

  it('does not replace what is no file', async () => {
    await homeQueue(q());
    mkdirSync(temporary.path('directory'));
    const { stderr, status } = await metrics(q(), '-o', temporary.path('directory'));
    expect(stderr).toContain('it is a directory, and no file to replace');
    expect(status).toBe(1);
    expect((await metrics(q(), '-o', '/dev/null')).status).toBe(1);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('leaves the old file where it cannot write a new one', async () => {
    await homeQueue(q());
    const file = temporary.path('none/intray.prom');
    expect((await metrics(q(), '-o', file)).status).toBe(1);
    chmodSync(temporary.path(), 0o755);
    expect(readdirSync(temporary.path())).toEqual(['q']);
  });
});

describe('what Prometheus and Grafana are given', () => {
  const example = (name: string) =>
    readFileSync(new URL(`../../examples/prometheus/${name}`, import.meta.url), 'utf8');

  it.each(['intray-alerts.yml', 'intray-dashboard.json'])(
    '%s asks for gauges and labels that there are',
    async (name) => {
      await queueOfAllSorts();
      const { stdout } = await metrics(q(), '--probe');
      const known = new Map<string, string>();
      for (const [, gauge = '', labels = ''] of stdout.matchAll(/^(intray_\w+)\{(.*)\} /gm))
        known.set(gauge, `${known.get(gauge) ?? ''}${labels} `);
      const asked = [
        ...example(name)
          .replaceAll('\\"', '"')
          .matchAll(/\b(intray_[a-z_]+)\b(?:\{([^}]*)\})?/g),
      ];
      expect(asked.length).toBeGreaterThan(8);
      for (const [, gauge = '', matchers = ''] of asked) {
        expect([...known.keys()]).toContain(gauge);
        for (const [, label, words = ''] of matchers.matchAll(/(state|life|share)(?:=|=~|!=|!~)"([^"]*)"/g)) {
          for (const word of words.split('|')) expect(known.get(gauge)).toContain(`${label}="${word}"`);
        }
      }
    },
  );

  it('is a dashboard that can be imported', () => {
    const { panels, templating } = JSON.parse(example('intray-dashboard.json'));
    expect(new Set(panels.map(({ id }: { id: number }) => id)).size).toBe(panels.length);
    expect(templating.list.map(({ name }: { name: string }) => name)).toEqual(['source', 'queue']);
  });
});

describe('the text', () => {
  it('is OpenMetrics whatever the labels and values are', () => {
    const number = fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }));
    const values = fc.uniqueArray(fc.record({ label: fc.string({ unit: 'binary' }), number }), {
      selector: ({ label }) => label,
    });
    fc.assert(
      fc.property(values, fc.string({ minLength: 1 }), (all, help) => {
        // Two names that only differ in what cannot be shown are one to a reader: not here.
        const samples = all
          .filter(({ label }) => !/[\\\p{Surrogate}]/u.test(label))
          .map(({ label, number }) => ({ labels: { queue: label }, value: number }));
        const text = openMetricsText([
          { name: 'a_seconds', help: `x${help.trim()}`, unit: 'seconds', samples },
        ]);
        expect(offencesIn(text)).toEqual([]);
      }),
    );
  });

  it('is refused by the rules when it is wrong', () => {
    const good = '# TYPE a gauge\n# HELP a Help\na{b="c"} 1\n';
    expect(offencesIn(`${good}# EOF\n`)).toEqual([]);
    for (const bad of [
      good,
      `${good}a{b="c"} 2\n# EOF\n`,
      `${good}b 2\n# EOF\n`,
      `${good}a{b="\nc"} 2\n# EOF\n`,
      `${good}a{b="x"} NaN?\n# EOF\n`,
      `${good}# HELP a Again\n# EOF\n`,
      `# UNIT a seconds\n${good}# EOF\n`,
      `${good}a{le="1"} 2\n# EOF\n`,
      `${good}a{le="1"} 2\na{le="+Inf"} 1\n# EOF\n`,
      `${good}a{le="2"} 1\na{le="1"} 1\na{le="+Inf"} 1\n# EOF\n`,
    ])
      expect(offencesIn(bad), bad).not.toEqual([]);
  });
});

it('a quantile is the smallest value that a share does not exceed', () => {
  expect(quantile([], 0.5)).toBeUndefined();
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4], 0.9)).toBe(4);
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
});

it('what is within a bound is counted', () => {
  expect(countsWithin([], [1])).toEqual([]);
  const numbers = fc.array(fc.nat(20), { minLength: 1 });
  fc.assert(
    fc.property(numbers, fc.uniqueArray(fc.nat(20)), (values, bounds) => {
      const rising = (all: readonly number[]) => [...all].sort((a, b) => a - b);
      const expected = rising(bounds).map((bound) => [
        String(bound),
        values.filter((value) => value <= bound).length,
      ]);
      expect(countsWithin(rising(values), rising(bounds))).toEqual([...expected, ['+Inf', values.length]]);
    }),
  );
});
