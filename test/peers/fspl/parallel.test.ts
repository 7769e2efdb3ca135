// Our parallel workers and the real fspl on one directory: they keep each other out, and lose nothing between them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../../src/os/real/index.ts';
import type { Queue } from '../../../src/queue/contract.ts';
import { openSpool } from '../../../src/spool/spool.ts';
import { serveQueues } from '../../../src/worker/serve.ts';
import { chance, pauseMs } from '../../faults/support/chance.ts';
import { claimed, drain, idle, joined, namesIn, runningIn, told } from '../../support/home.ts';
import { eventually, useTemporary } from '../../support/temporary.ts';
import { peersRequired, real } from './programs.ts';

const ROUNDS = 8;
const BUN = fileURLToPath(new URL('../../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('../../faults/support/storm-worker.ts', import.meta.url));

if (peersRequired && real.absent !== undefined)
  throw new Error(`INTRAY_REQUIRE_PEERS is set, but ${real.absent}`);

const temporary = useTemporary();
let queue: Queue;
let path: string;

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the real program to its end. */
function fspl(
  args: readonly string[],
  { input = '' as string | Buffer, env = {} } = {},
): Ended & { readonly raw: Buffer } {
  const ended = spawnSync(real.command[0], args, { input, env: { ...process.env, ...env } });
  const { status, stdout, stderr } = ended;
  return { status, raw: stdout, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The same beside us. */
function start(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ status: number | null; stderr: string }>((resolve) => {
    child.once('close', (status) => resolve({ status, stderr }));
  });
  return { pid: child.pid as number, kill: () => child.kill('SIGKILL'), ended };
}

/** As the original's users send: into the queue by its own two commands. */
function send(sender: string, payload: string, env: Record<string, string> = {}): void {
  const packet = fspl(['prepare', '-s', temporary.path(sender), '-i', '-'], { input: payload, env });
  expect(packet.status).toBe(0);
  expect(fspl(['queue-write', '-q', path], { input: packet.raw }).status).toBe(0);
}

/** A command line for a shell, for their queue-process and for our workers: notes which job it ran. */
const noting = () => `echo "$FSPL_SEQ" >> '${temporary.path('ran')}'`;
const theirProcess = (script = noting()) => ['queue-process', '-q', path, 'sh', '--', '-c', script];
const ran = () =>
  existsSync(temporary.path('ran')) ? readFileSync(temporary.path('ran'), 'utf8').trim().split('\n') : [];
const upTo = (count: number) => Array.from({ length: count }, (_, n) => `${n + 1}`);

describe.skipIf(real.absent !== undefined)(
  `parallel workers beside the original${real.absent === undefined ? '' : ` (${real.absent})`}`,
  () => {
    beforeEach(async () => {
      path = temporary.path('queue');
      expect(fspl(['queue-init', '-q', path]).status).toBe(0);
      queue = await openSpool(realMachine, path);
    });

    it('keep it from processing, which loses nothing', async () => {
      for (const payload of ['1', '2', '3']) send('s', payload);
      await joined(queue, async (session) => {
        const first = await claimed(session);
        for (const args of [
          theirProcess(),
          [...theirProcess().slice(0, 3), '--order-by', 'Timestamp', 'true'],
        ]) {
          expect(fspl(args).status).toBe(1);
        }
        expect(fspl(['queue-set-next', '-q', path, '7']).status).toBe(1);
        expect(fspl(['queue-get-next', '-q', path]).status).toBe(1);
        await first.succeed();
      });
      expect(ran()).toEqual([]);
      expect(fspl(theirProcess()).status).toBe(0);
      expect(ran()).toEqual(['2', '3']);
    });

    it('are kept out while it processes, which loses nothing', async () => {
      for (const payload of ['1', '2']) send('s', payload);
      const held = temporary.path('held');
      const go = temporary.path('go');
      const holder = start(
        real.command[0],
        theirProcess(`${noting()}; touch ${held}; while [ ! -e ${go} ]; do sleep 0.01; done`),
      );
      await eventually(() => expect(existsSync(held)).toBe(true));
      await expect(queue.join()).rejects.toMatchObject({ code: 'locked' });
      writeFileSync(go, '');
      expect((await holder.ended).status).toBe(0);
      await joined(queue, async (session) => expect(await idle(session)).toMatchObject({ reason: 'empty' }));
      expect(ran()).toEqual(['1', '2']);
    });

    it('pick up what it writes at any time', async () => {
      const work = async (session: Parameters<typeof drain>[0]) => {
        expect(await idle(session)).toMatchObject({ reason: 'empty' });
        send('s', '1');
        await session.changed(20_000, new AbortController().signal);
        const first = await eventually(() => claimed(session));
        send('s', '2');
        expect(told(first)).toBe('1');
        await first.succeed();
        expect(await eventually(() => claimed(session)).then(told)).toBe('2');
      };
      await joined(queue, work, { watch: true });
    });

    it('do what its senders ask for by variables', async () => {
      for (const lane of ['b', 'a'])
        for (const n of ['1', '2']) send(lane, n, { FSPL_SET_INTRAY_LANE: lane });
      send('urgent', '!', { FSPL_SET_INTRAY_LANE: 'urgent', FSPL_SET_INTRAY_PRIORITY: '0' });
      send('late', '-', { FSPL_SET_INTRAY_LANE: 'late', FSPL_SET_INTRAY_EXPIRES: '2001-01-01T00:00:00Z' });
      await joined(queue, async (session) => {
        const order = await drain(session, told);
        expect(order[0]).toBe('urgent1');
        expect(order.filter((job) => job.startsWith('a'))).toEqual(['a1', 'a2']);
        expect(order.filter((job) => job.startsWith('b'))).toEqual(['b1', 'b2']);
        expect(order).toHaveLength(5);
      });
      expect(namesIn(queue, 'failed')).toHaveLength(1);
    });

    it('let it list at any time what waits', async () => {
      await queue.add({});
      send('addseq-less', 'other', { FSPL_SET_INTRAY_LANE: 'a' });
      await queue.add({ lane: 'a b' }).catch(() => undefined); // no lanes yet: the rooms are not made
      await joined(queue, async (session) => {
        await queue.add({ lane: 'a b' });
        const lines = () => fspl(['queue-ls', '-q', path]).stdout.trim().split('\n').length - 1;
        expect(lines()).toBe(3);
        const claim = await claimed(session);
        expect(lines()).toBe(2);
        await claim.retry(Date.now() + 3_600_000, 'later');
        expect(lines()).toBe(3);
        expect(fspl(['queue-info', '-q', path, '-j', '1']).status, 'two of number 1 in two lanes').toBe(1);
      });
      expect(fspl(['queue-ls', '-q', path]).status).toBe(0);
    });

    it('leave it the rest, whoever added it, and take the rest from it', async () => {
      const sequenceFile = temporary.path('s');
      for (const n of upTo(9)) {
        if (Number(n) % 2 === 0) send('s', n);
        else await queue.add({ payload: n }, { sequenceFile });
      }
      await joined(queue, async (session) => {
        for (const n of ['1', '2', '3']) {
          const claim = await claimed(session);
          expect(told(claim)).toBe(n);
          // Each is tried twice: its name changes.
          await claim.retry(0, 'again');
          await (await claimed(session)).succeed();
        }
        await (await claimed(session)).retry(0, 'again');
      });
      expect(fspl([...theirProcess().slice(0, 3), '-n', '3', ...theirProcess().slice(3)]).status).toBe(0);
      expect(ran()).toEqual(['4', '5', '6']);
      expect(await joined(queue, (session) => drain(session, told))).toEqual(['7', '8', '9']);
      expect(readFileSync(`${path}/nextseq`, 'utf8')).toBe('10\n');
      expect(readdirSync(`${path}/jobs`)).toEqual([]);
    });

    it('that were killed keep what they ran from it, until one of them brings it back', async () => {
      for (const n of ['1', '2']) send('s', n);
      const job = [
        'sh',
        '-c',
        `[ "$FSPL_SEQ-$INTRAY_ATTEMPT" != 1-1 ] || { touch ${temporary.path('up')}; exec sleep 1000; }; ${noting()}`,
      ];
      const worker = start(BUN, ['--no-install', WORKER, path, '2', 'wait', '60000', ...job]);
      await eventually(() => expect(existsSync(temporary.path('up'))).toBe(true));
      worker.kill();
      await worker.ended;
      expect(runningIn(queue)).toHaveLength(1);
      // Job 1 is not there for it: it waits, and runs nothing out of turn.
      expect(fspl(theirProcess()).status).toBe(0);
      expect(ran()).toEqual([]);
      await eventually(async () => {
        await serveQueues(realMachine, [queue], { program: 'sh', args: job.slice(1) }, { maxJobs: 1 });
        expect(ran()[0]).toBe('1');
      });
      expect(fspl(theirProcess()).status).toBe(0);
      expect(ran()).toEqual(['1', '2']);
    });

    it('and it, in turns and at random, run each job once and in order', { timeout: 300_000 }, async () => {
      const random = chance();
      const sequenceFile = temporary.path('s');
      let sent = 0;
      const refused = { ours: 0, theirs: 0 };
      let over = false;
      const ours = async () => {
        while (!over) {
          const stop = new AbortController();
          const done = serveQueues(
            realMachine,
            [queue],
            { program: 'sh', args: ['-c', noting()] },
            {
              concurrency: random.between(1, 3),
              keepWaiting: random.next() < 0.5,
              signal: stop.signal,
            },
          ).catch((error: { code?: string }) => {
            if (error.code !== 'locked') throw error;
            refused.ours += 1;
          });
          await Promise.race([done, pauseMs(random.between(5, 80))]);
          stop.abort();
          await done;
          await pauseMs(random.between(0, 30));
        }
      };
      const theirs = async () => {
        while (!over) {
          const { status, stderr } = await start(real.command[0], theirProcess()).ended;
          if (status !== 0) {
            expect(stderr).toMatch(/temporarily unavailable/);
            refused.theirs += 1;
          }
          await pauseMs(random.between(0, 30));
        }
      };
      const senders = async () => {
        for (let round = 0; round < ROUNDS; round++) {
          for (let n = random.between(3, 10); n > 0; n--) {
            if (random.next() < 0.5) send('s', 'theirs');
            else await queue.add({ payload: 'ours' }, { sequenceFile });
            sent += 1;
          }
          await eventually(() => expect(ran()).toHaveLength(sent));
        }
        over = true;
      };
      try {
        await Promise.all([
          ours(),
          theirs(),
          senders().finally(() => {
            over = true;
          }),
        ]);
      } finally {
        console.log(`both at random, seed ${random.seed}: ${JSON.stringify({ sent, refused })}`);
      }
      expect(ran()).toEqual(upTo(sent));
      expect(readdirSync(`${path}/jobs`)).toEqual([]);
      expect(runningIn(queue)).toEqual([]);
      expect(refused.ours + refused.theirs).toBeGreaterThan(0);
    });
  },
);
