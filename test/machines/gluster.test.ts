/**
 * One queue directory worked from two machines, over a GlusterFS volume with three replicas. Machines are namespaces of
 * this one: each has its network, its processes, its name and its boot id, so that workers take each other for foreign.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LONGER, lacking } from '../faults/support/needs.ts';
import { signal } from '../faults/support/storm.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { eventually } from '../support/temporary.ts';
import { Cluster, type MachineName } from './support/cluster.ts';
import { besideThemselves, endedOf, HISTORY_COMMAND, readRuns, startsOf } from './support/history.ts';

const BIN = INTRAY.slice(0, INTRAY.lastIndexOf('/'));
const TOOLS = ['glusterd', 'gluster', 'mount.glusterfs', 'unshare', 'nsenter', 'ip', 'pkill'];
const JOBS = 40 * LONGER;

const reason = lacking({ tools: TOOLS, mounts: true });

describe.skipIf(reason !== undefined)(
  `two machines and a GlusterFS volume${reason === undefined ? '' : ` (${reason})`}`,
  { timeout: 600_000 * LONGER },
  () => {
    let cluster: Cluster;
    let directory = '';
    let test = 0;
    let queue = '';
    let history = '';

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'intray-machines-'));
      cluster = await Cluster.start(directory);
      writeFileSync(`${directory}/job.sh`, HISTORY_COMMAND, { mode: 0o755 });
    }, 300_000);

    afterAll(async () => {
      await cluster?.end();
      rmSync(directory, { recursive: true, force: true });
    }, 300_000);

    beforeEach(() => {
      test += 1;
      queue = `${cluster.mount}/queue-${test}`;
      history = `${directory}/history-${test}`;
      writeFileSync(history, '');
    });

    const well = (machine: MachineName, command: readonly string[], input?: string): string => {
      const { code, stdout, stderr } = cluster.call(machine, command, input);
      expect({ command, code, stderr }).toMatchObject({ code: 0 });
      return stdout;
    };
    const intray = (machine: MachineName, args: readonly string[], input?: string) =>
      well(machine, [INTRAY, ...args], input);
    const names = (count: number, prefix = 'job') =>
      Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
    const add = (machine: MachineName, ids: readonly string[], ...options: string[]) =>
      intray(machine, ['add', queue, '--each-line', ...options], `${ids.join('\n')}\n`);
    const work = (machine: MachineName, tenths: number, ...options: string[]) =>
      cluster.run(machine, [
        INTRAY,
        'work',
        queue,
        ...['-j', '3', '--output', 'inherit', ...options],
        ...['--', `${directory}/job.sh`, history, String(tenths)],
      ]);
    const nothingIsLeft = (machine: MachineName) => {
      const { waiting, running, failed } = JSON.parse(intray(machine, ['status', queue, '--json'])).queues[0]
        .counts;
      expect({ waiting, running, failed }).toEqual({ waiting: 0, running: 0, failed: 0 });
    };

    /** What another worker has is not there to be run until its lease is over. */
    const workUntilNothingIsLeft = (machine: MachineName, ...options: string[]) =>
      eventually(async () => {
        const { code, stderr } = await work(machine, 2, ...options).ended;
        expect({ nothingToDo: code === 0 || code === 3, stderr }).toEqual({ nothingToDo: true, stderr: '' });
        nothingIsLeft(machine);
      }, 120_000);

    it('run each job once, and lanes in their order', async () => {
      intray('c1', ['init', queue]);
      add('c1', names(JOBS));
      for (const lane of ['a', 'b']) add('c2', names(5, lane), '--lane', lane);
      const workers = [work('c1', 0), work('c2', 0)];
      for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
      const lines = readRuns(history);
      expect(startsOf(lines)).toHaveLength(JOBS + 10);
      expect(endedOf(lines).size).toBe(JOBS + 10);
      for (const lane of ['a', 'b']) {
        const started = startsOf(lines).filter((id) => id.startsWith(`${lane}-`));
        expect(started).toEqual(names(5, lane));
      }
      expect(new Set(lines.map(({ run }) => run.split('.')[0]))).toEqual(new Set(['c1', 'c2']));
      nothingIsLeft('c2');
    });

    it('one takes over what a worker of the other had when it was killed', async () => {
      intray('c1', ['init', queue]);
      add('c2', names(4));
      const victim = work('c1', 30, '--lease', '3s');
      await eventually(() => expect(startsOf(readRuns(history)).length).toBeGreaterThanOrEqual(3));
      signal(victim.pid() ?? 0, 'SIGKILL');
      await victim.ended;
      await workUntilNothingIsLeft('c2', '--lease', '3s');
      const lines = readRuns(history);
      expect(besideThemselves(lines)).toEqual([]);
      expect(endedOf(lines)).toEqual(new Set(names(4)));
    });

    it('one takes over from a machine that is cut off, whose commands are ended first', async () => {
      intray('c1', ['init', queue]);
      add('c2', names(6));
      const cutOff = work('c1', 300, '--lease', '4s');
      await eventually(() => expect(startsOf(readRuns(history)).length).toBeGreaterThanOrEqual(3));
      cluster.link('c1', 'down');
      try {
        await workUntilNothingIsLeft('c2', '--lease', '4s');
        const { code, stderr } = await cutOff.ended;
        expect(code).toBe(1);
        expect(stderr).toContain('this worker was silent for too long and was taken for dead');
      } finally {
        cluster.link('c1', 'up');
      }
      const lines = readRuns(history);
      expect(besideThemselves(lines)).toEqual([]);
      expect(endedOf(lines)).toEqual(new Set(names(6)));
      // It sees the same queue again, and has nothing to say about what others have settled.
      await eventually(() => nothingIsLeft('c1'));
    });

    it('go on when one of three bricks is killed, and take nothing when two are', async () => {
      intray('c1', ['init', queue]);
      add('c1', names(JOBS));
      const workers = [work('c1', 1), work('c2', 1)];
      await eventually(() => expect(endedOf(readRuns(history)).size).toBeGreaterThan(5));
      cluster.killBrick('b2');
      add('c2', names(5, 'late'));
      for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
      await workUntilNothingIsLeft('c2');
      // With two of three dead nothing is accepted, and that is said.
      cluster.killBrick('b3');
      const refused = cluster.call('c1', [INTRAY, 'add', queue], 'refused\n');
      expect(refused).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^intray: error: /) });
      expect(refused.code).not.toBe(0);
      cluster.startBricks();
      await eventually(() => add('c1', ['again']), 120_000);
      await workUntilNothingIsLeft('c2');
      const lines = readRuns(history).filter(({ id }) => id !== 'refused');
      expect(endedOf(lines)).toEqual(new Set([...names(JOBS), ...names(5, 'late'), 'again']));
      expect(besideThemselves(lines)).toEqual([]);
      expect(startsOf(lines)).toHaveLength(JOBS + 5 + startsOf(lines).filter((id) => id === 'again').length);
      nothingIsLeft('c1');
    });

    it('run no job of IPC::DirQueue and of fsq twice either', async () => {
      const dirqueue = `${queue}-dirqueue`;
      const fsq = `fsq-${test}`;
      const ourFsq = [`${BIN}/fsq`, '-r', cluster.mount];
      mkdirSync(`${directory}/files`);
      for (const id of names(8)) {
        writeFileSync(`${directory}/files/${id}`, `${id}\n`);
        well('c1', [`${BIN}/dq-submit`, '--dir', dirqueue, `${directory}/files/${id}`]);
      }
      well('c1', [...ourFsq, 'install', fsq]);
      for (const id of names(8, 'item')) well('c2', [...ourFsq, 'enqueue', fsq, id], `${id}\n`);
      const run = ['-j', '2', '--output', 'inherit', '--', `${directory}/job.sh`, history, '1'];
      const workers = (['c1', 'c2'] as const).map((machine) =>
        cluster.run(machine, [INTRAY, 'work', dirqueue, join(cluster.mount, fsq), ...run]),
      );
      for (const { ended } of workers) expect(await ended).toMatchObject({ code: 0 });
      const lines = readRuns(history);
      expect(startsOf(lines)).toHaveLength(16);
      expect(endedOf(lines)).toEqual(new Set([...names(8), ...names(8, 'item')]));
    });

    // Minutes: each of the suite's calls goes over the network.
    it.skipIf(LONGER === 1)(
      'find that the volume keeps the contract of queues',
      { timeout: 3_600_000 },
      async () => {
        const place = `${cluster.mount}/contract`;
        const root = fileURLToPath(new URL('../..', import.meta.url));
        const suite = ['npx', 'vitest', 'run', 'test/contract/spool.test.ts'];
        const script = 'mkdir -p "$0" && cd "$1" && shift && TMPDIR="$0" INTRAY_SLOW_DISK=1 exec "$@"';
        const { code, stdout } = await cluster.run('c1', ['sh', '-c', script, place, root, ...suite]).ended;
        expect({ code, stdout }).toMatchObject({ code: 0 });
      },
    );

    it('are told by doctor what the volume can do', () => {
      const said = cluster.call('c1', [INTRAY, 'doctor', cluster.mount]).stdout;
      expect(said).toContain('fuse.glusterfs');
      expect(said).toMatch(/yes +flock between hosts/);
      expect(said).toContain('attribute-timeout=0');
    });
  },
);
