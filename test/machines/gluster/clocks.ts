/**
 * One machine's clock is an hour ahead, of all that runs there and of its mount: whose leases, delays and ages go by which
 * clock. (The kernel's own clock is that of all five machines, as they share it.)
 */

import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LONGER } from '../../faults/support/needs.ts';
import { signal } from '../../faults/support/storm.ts';
import { INTRAY } from '../../support/intray-cli.ts';
import { eventually } from '../../support/temporary.ts';
import type { ClientName, Running } from '../support/cluster.ts';
import { besideThemselves, endedOf, readRuns, startsOf } from '../support/history.ts';
import { BIN, type Ground, names } from './ground.ts';

const AHEAD = '+3600';
const BEHIND = '-3600';
const LEASE = '3s';
/** Longer than the servers keep the locks of a machine that they do not hear: 23 s have been seen. */
const LONG_LEASE = '40s';

export function clocksThatDiffer(ground: Ground): void {
  const clock = () => `${ground.directory}/clock`;
  const set = (offset: string) => writeFileSync(clock(), offset);

  beforeAll(() => {
    set(AHEAD);
    ground.cluster.mountAgain('c1', ['env', ...fakedBy(clock())]);
  });
  afterAll(() => ground.cluster.mountAgain('c1'));

  const onClockOf = (machine: ClientName, words: readonly string[]) =>
    machine === 'c1' ? ['env', ...fakedBy(clock()), ...words] : words;
  const well = (machine: ClientName, words: readonly string[], input?: string) =>
    ground.well(machine, onClockOf(machine, words), input);
  const work = (machine: ClientName, tenths: number, ...options: string[]): Running =>
    ground.cluster.run(machine, onClockOf(machine, [INTRAY, ...ground.workWords(tenths, ...options)]));
  const started = () => startsOf(readRuns(ground.history));

  function makeQueue(layout: 'filespooler' | 'dirqueue', ids: readonly string[]): void {
    const [first = '', ...more] = ids;
    writeFileSync(`${ground.directory}/first`, `${first}\n`);
    if (layout === 'filespooler') well('c1', [INTRAY, 'init', ground.queue]);
    else well('c1', [`${BIN}/dq-submit`, '--dir', ground.queue, `${ground.directory}/first`]);
    const toAdd = layout === 'filespooler' ? ids : more;
    if (toAdd.length > 0) ground.add('c2', toAdd);
  }

  async function workUntilAllHaveEnded(machine: ClientName, ids: readonly string[], ...options: string[]) {
    await eventually(async () => {
      expect(await work(machine, 1, ...options).ended).toMatchObject({ stderr: '' });
      expect(endedOf(readRuns(ground.history))).toEqual(new Set(ids));
    }, 120_000);
    expect(besideThemselves(readRuns(ground.history))).toEqual([]);
  }

  it.each(['filespooler', 'dirqueue'] as const)(
    'go by the clock of the servers in a lease (%s)',
    async (layout) => {
      const ids = names(4);
      makeQueue(layout, ids);
      const victim = work('c1', 600, '--lease', LEASE);
      await eventually(() => expect(started().length).toBe(3));
      await eventually(() => expectBeatsByServerClock(layout));
      signal(victim.pid() ?? 0, 'SIGKILL');
      await victim.ended;
      const beganMs = performance.now();
      await workUntilAllHaveEnded('c2', ids, '--lease', LEASE);
      // By the clock of the other it would be an hour.
      expect(performance.now() - beganMs).toBeLessThan(60_000);
    },
  );

  /** A touch would set both times of the file, by the clock of the host; what is written gets the server's. */
  function expectBeatsByServerClock(layout: 'filespooler' | 'dirqueue'): void {
    const seen = `${ground.cluster.mountOf('c2')}${ground.queue.slice(ground.cluster.mount.length)}`;
    const room = layout === 'filespooler' ? `${seen}/work` : `${seen}/intray/workers`;
    const [worker = ''] = readdirSync(room);
    const { atimeNs, mtimeNs } = statSync(
      layout === 'filespooler' ? `${room}/${worker}/worker` : `${room}/${worker}`,
      { bigint: true },
    );
    expect(mtimeNs).not.toBe(atimeNs);
    expect(Math.abs(Number(mtimeNs / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  }

  it.skipIf(LONGER === 1).each(['filespooler', 'dirqueue'] as const)(
    'leave a machine that is cut off its lease (%s)',
    async (layout) => {
      const ids = names(4);
      makeQueue(layout, ids);
      const cutOff = work('c2', 900, '--lease', LONG_LEASE);
      await eventually(() => expect(started().length).toBe(3));
      ground.cluster.link('c2', 'down');
      try {
        await workUntilAllHaveEnded('c1', ids, '--lease', LONG_LEASE);
        expect(await cutOff.ended).toMatchObject({ code: 1 });
      } finally {
        ground.cluster.link('c2', 'up');
      }
    },
  );

  it.each(['filespooler', 'dirqueue'] as const)('may jump while jobs run (%s)', async (layout) => {
    const ids = names(12 * LONGER);
    makeQueue(layout, ids);
    const workers = (['c1', 'c2'] as const).map((machine) => work(machine, 3, '--lease', LEASE));
    for (const [at, offset] of [BEHIND, AHEAD].entries()) {
      await eventually(() => expect(endedOf(readRuns(ground.history)).size).toBeGreaterThan(3 * at));
      set(offset);
    }
    for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0, stderr: '' });
    await workUntilAllHaveEnded('c2', ids, '--lease', LEASE);
    expect(started()).toHaveLength(ids.length);
  });

  it('go by that of whoever looks in delays, retries and the ages of fsq', () => {
    makeQueue('filespooler', []);
    const stateOn = (machine: ClientName) =>
      JSON.parse(well(machine, [INTRAY, 'ls', ground.queue, '--json'])).jobs.map(
        ({ state }: { readonly state: string }) => state,
      );
    well('c2', [INTRAY, 'add', ground.queue, '--delay', '30m'], 'put off\n');
    expect([stateOn('c1'), stateOn('c2')]).toEqual([['ready'], ['delayed']]);
    well('c1', [
      INTRAY,
      'work',
      ground.queue,
      '--retries',
      '2',
      '--',
      'sh',
      '-c',
      'exit $((INTRAY_ATTEMPT < 2))',
    ]);
    expect(stateOn('c2')).toEqual([]);

    const fsq = [`${BIN}/fsq`, '-r', ground.cluster.mount];
    const name = ground.queue.slice(ground.queue.lastIndexOf('/') + 1).replace('queue', 'items');
    well('c1', [...fsq, 'install', name]);
    well('c2', [...fsq, 'enqueue', name, 'alice'], 'content\n');
    const scanned = ground.cluster.call('c1', onClockOf('c1', [...fsq, 'scan', '-t', '60', name, 'cat']));
    expect(scanned.stdout).toBe('');
    expect(well('c2', [...fsq, 'ls', '--failed', name])).toMatch(/_alice .* old, and FSQ_TTL is 60 s/);
  });
}

function fakedBy(file: string): string[] {
  return [
    'LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1',
    `FAKETIME_TIMESTAMP_FILE=${file}`,
    'FAKETIME_NO_CACHE=1',
    'FAKETIME_DONT_FAKE_MONOTONIC=1',
    'NO_FAKE_STAT=1',
  ];
}
