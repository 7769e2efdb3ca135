/**
 * Three servers of NATS on machines of their own, one of which loses its network: with the server that leads are cut off
 * a worker and an adder that reach it, and only it. Machines are namespaces of this one.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LONGER, lacking } from '../faults/support/needs.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { eventually } from '../support/temporary.ts';
import {
  besideThemselves,
  endedOf,
  HISTORY_COMMAND,
  type Line,
  readRuns,
  startsOf,
} from './support/history.ts';
import type { Running } from './support/machines.ts';
import { type ServerName, Servers } from './support/servers.ts';

const TOOLS = ['nats-server', 'unshare', 'nsenter', 'ip'];
const reason = lacking({ tools: TOOLS, mounts: true });

/** 300 jobs, or 10,000 with INTRAY_LONG=1: each adder brings so many lots. */
const LOTS = LONGER === 1 ? 5 : 50;
const LOT = LONGER === 1 ? 20 : 67;
/** How long a command has its machine to itself at least, in tenths of a second. */
const SLOW_TENTHS = 40;
/** Servers take some seconds to choose one that leads, and nobody is heard meanwhile. */
const LEASE = '12s';
/** Of four at once, and their ends that were not settled yet: those may run again. */
const MOST_IN_HAND = 4 + 4 * 8;
const PATIENCE_MS = 120_000 * LONGER;

/** `adder.sh QUEUE PREFIX LOTS LOT CONFIRMED`: adds jobs PREFIX-N; CONFIRMED gets the names of those that were. */
const ADDER = `#!/bin/bash
for ((lot = 0; lot < $3; lot++)); do
  names=$(seq -f "$2-%.0f" $((lot * $4)) $((lot * $4 + $4 - 1)))
  added=$("$INTRAY" add "$1" --each-line <<< "$names" | wc -l)
  head -n "$added" <<< "$names" >> "$5"
done
`;

describe.skipIf(reason !== undefined)(
  `three servers on three machines${reason === undefined ? '' : ` (${reason})`}`,
  { timeout: 300_000 * LONGER },
  () => {
    let servers: Servers;
    let directory = '';
    let test = 0;
    let name = '';
    let history = '';
    let confirmed = '';

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'intray-servers-'));
      servers = await Servers.start(directory);
      writeFileSync(`${directory}/job.sh`, HISTORY_COMMAND, { mode: 0o755 });
      writeFileSync(`${directory}/adder.sh`, ADDER, { mode: 0o755 });
    }, 120_000);

    afterAll(async () => {
      await servers?.end();
      rmSync(directory, { recursive: true, force: true });
    }, 120_000);

    beforeEach(() => {
      test += 1;
      name = `queue-${test}`;
      history = `${directory}/history-${test}`;
      confirmed = `${directory}/confirmed-${test}`;
      for (const file of [history, confirmed]) writeFileSync(file, '');
    });

    type Machine = ServerName | 'c1';
    const call = (machine: Machine, args: readonly string[], input = '') =>
      servers.call(machine, [INTRAY, ...args], input);
    const add = (machine: Machine, names: readonly string[], more: readonly string[] = []) => {
      const args = ['add', servers.queue(machine, name), '--each-line', ...more];
      const { code, stderr } = call(machine, args, `${names.join('\n')}\n`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    };
    const work = (machine: Machine, lease = LEASE): Running =>
      servers.run(machine, [
        ...[INTRAY, 'work', servers.queue(machine, name), '-j', '4', '--lease', lease, '--watch'],
        ...['--', `${directory}/job.sh`, history, '0'],
      ]);
    const adder = (machine: Machine): Running =>
      servers.run(machine, [
        ...['env', `INTRAY=${INTRAY}`, `${directory}/adder.sh`, servers.queue(machine, name), machine],
        ...[String(LOTS), String(LOT), confirmed],
      ]);
    const confirmedNames = () => readFileSync(confirmed, 'utf8').split('\n').slice(0, -1);
    const isEmpty = (machine: Machine) => {
      const { stdout } = call(machine, ['status', servers.queue(machine, name), '--json']);
      const { waiting, running, failed } = JSON.parse(stdout).queues[0].counts;
      expect({ waiting, running, failed }).toEqual({ waiting: 0, running: 0, failed: 0 });
    };
    const make = async () => {
      await eventually(() => {
        const { code, stderr } = call('c1', ['init', servers.queue('c1', name), '--replicas', '3']);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      });
    };

    const addOne = (machine: Machine, id: string) => {
      const line = `echo ${id} | ${INTRAY} add ${servers.queue(machine, name)}`;
      const adding = { isConfirmed: false, ended: servers.run(machine, ['sh', '-c', line]).ended };
      void adding.ended.then(({ stdout }) => {
        adding.isConfirmed = stdout !== '';
      });
      return adding;
    };
    const whileCutOff = async <T>(machine: Machine, act: () => Promise<T>): Promise<T> => {
      servers.link(machine, 'down');
      try {
        return await act();
      } finally {
        servers.link(machine, 'up');
      }
    };
    /** Stops them, and tells what they have said. */
    const ended = async (workers: readonly Running[]): Promise<string[]> => {
      for (const worker of workers) process.kill(worker.pid() ?? 0, 'SIGTERM');
      return Promise.all(workers.map(async (worker) => (await worker.ended).stderr));
    };
    const startMachines = (lines: readonly Line[]) =>
      new Map(startsOf(lines).map((id) => [id, machinesOf(lines, id)] as const));
    /** What ran more than once: begun on `cutOff`, and again where it was not. */
    const expectAtMostTwice = (lines: readonly Line[], cutOff: Machine) => {
      const twice = [...startMachines(lines)].filter(([, machines]) => machines.length > 1);
      for (const [id, machines] of twice) {
        expect({ id, machines }).toEqual({ id, machines: [cutOff, expect.not.stringMatching(cutOff)] });
      }
      expect(twice.length).toBeLessThanOrEqual(MOST_IN_HAND);
      expect(besideThemselves(lines)).toEqual([]);
    };

    it('the one that leads is cut off, with workers and adders on both sides, and comes back', async () => {
      await make();
      const everywhere = ['n1', 'n2', 'n3'] as const;
      const workers = everywhere.map((machine) => work(machine));
      const adders = everywhere.map(adder);
      await eventually(() => expect(confirmedNames().length).toBeGreaterThan(LOT), PATIENCE_MS);
      const first = await eventually(
        () => servers.leader(name, 'n1') ?? Promise.reject(new Error('no leader')),
      );
      const [other = first] = servers.others(first);
      // Long ones, one of which a worker of the server that leads has in hand when that is cut off.
      const slow = Array.from({ length: 8 }, (_, n) => `slow-${n}`);
      add(
        other,
        slow.map((id) => `${id} ${SLOW_TENTHS}`),
        ['--priority', '0'],
      );
      await eventually(() => {
        const begun = [...startMachines(readRuns(history))].filter(([id]) => slow.includes(id));
        expect(begun.some(([, machines]) => machines.includes(first))).toBe(true);
      }, PATIENCE_MS);
      const late = await whileCutOff(first, async () => {
        const adding = addOne(first, 'late');
        await eventually(() => expect(servers.leader(name, other)).not.toBe(first), 60_000);
        add(other, ['meanwhile']);
        await eventually(() => {
          const done = endedOf(readRuns(history));
          expect([...slow, 'meanwhile'].filter((id) => !done.has(id))).toEqual([]);
        }, PATIENCE_MS);
        expect(adding.isConfirmed).toBe(false);
        return adding;
      });
      const { code, stdout } = await late.ended;
      for (const { ended: over } of adders) expect(await over).toMatchObject({ code: 0 });
      for (const machine of everywhere) await eventually(() => isEmpty(machine), PATIENCE_MS);
      const lines = readRuns(history);
      const confirmed = [...confirmedNames(), ...slow, 'meanwhile', ...(code === 0 ? ['late'] : [])];
      expect(stdout === '').toBe(code !== 0);
      expect(confirmed.filter((id) => !endedOf(lines).has(id))).toEqual([]);
      expect(confirmed).toHaveLength(everywhere.length * LOTS * LOT + slow.length + (code === 0 ? 2 : 1));
      expectAtMostTwice(lines, first);
      const said = await ended(workers);
      expect(said[everywhere.indexOf(first)]).toMatch(/was taken for dead|do not answer/);
    });

    it('a machine without a server is cut off, and its worker gives up its jobs before others run them', async () => {
      await make();
      add(
        'n1',
        ['a', 'b', 'c', 'd'].map((id) => `${id} 80`),
      );
      const cutOff = work('c1', '5s');
      await eventually(() => expect(startsOf(readRuns(history))).toHaveLength(4), PATIENCE_MS);
      const others = await whileCutOff('c1', async () => {
        const worker = work('n2', '5s');
        expect(await addOne('c1', 'refused').ended).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(/do not answer|cannot be reached/),
        });
        await eventually(() => expect(endedOf(readRuns(history)).size).toBe(4), PATIENCE_MS);
        return worker;
      });
      const lines = readRuns(history);
      expectAtMostTwice(lines, 'c1');
      expect(startsOf(lines).filter((id) => id === 'refused')).toEqual([]);
      // It goes on by itself.
      const [said = ''] = await ended([others]);
      expect(said).toBe('');
      add('n1', ['again']);
      await eventually(() => expect(endedOf(readRuns(history)).has('again')).toBe(true), PATIENCE_MS);
      await ended([cutOff]);
      isEmpty('c1');
    });
  },
);

/** The machines on which a job was started, in their order. */
function machinesOf(lines: readonly Line[], id: string): string[] {
  return lines
    .filter((line) => line.kind === 'start' && line.id === id)
    .map(({ run }) => run.slice(0, run.indexOf('.')));
}
