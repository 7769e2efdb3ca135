/** Many worker processes on one queue directory of IPC::DirQueue, ours and the original's, left alone and killed. */

import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createDirQueue, openDirQueue } from '../../src/dirqueue/dirqueue.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { hasPerl, ORIGINAL, original } from '../support/dirqueues.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance, pauseMs } from './support/chance.ts';
import { LONGER } from './support/needs.ts';
import { type Spawned, signal, spawnGroup } from './support/storm.ts';

const JOBS = 400 * LONGER;
const KILLS = 12 * LONGER;
const WORKERS = 3;
const DEADLINE_MS = 300_000 * LONGER;

const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('./support/dirqueue-worker.ts', import.meta.url));

const temporary = useTemporary();

type Note = { readonly what: string; readonly pid: number; readonly text: string };

function storm() {
  const notes = temporary.path('notes');
  writeFileSync(notes, '');
  const path = temporary.path('queue');
  const read = (): Note[] =>
    readFileSync(notes, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [what = '', pid, text = ''] = line.split(' ');
        return { what, pid: Number(pid), text };
      });
  return {
    path,
    notes,
    read,
    launch: () => spawnGroup(BUN, ['--no-install', WORKER, path, notes], process.env),
    done: () => new Set(read().flatMap(({ what, text }) => (what === 'done' ? [text] : []))),
    end: async (workers: readonly Spawned[]) => {
      await eventually(() => {
        const ready = read().flatMap(({ what, pid }) => (what === 'ready' ? [pid] : []));
        expect(ready).toEqual(expect.arrayContaining(workers.map(({ pid }) => pid)));
      });
      for (const { pid } of workers) signal(pid, 'SIGTERM');
      for (const { ended } of workers) expect(await ended).toEqual({ code: 0, stderr: '' });
    },
  };
}

/** What a killed worker had begun to write stays in tmp/ for a day. */
const left = (path: string) =>
  ['queue', 'active', 'intray/workers', 'intray/failed', 'intray/starts'].flatMap((room) =>
    readdirSync(`${path}/${room}`),
  );

/** The file of one killed last may still be there: the next worker that looks sees to it. */
async function lookOnce(path: string): Promise<void> {
  const session = await (await openDirQueue(realMachine, path)).join();
  try {
    expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'empty' });
  } finally {
    await session.close();
  }
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `job-${n}`);

describe('nobody is killed', () => {
  it.each([4, 16])('%i processes run each job once', { timeout: DEADLINE_MS }, async (processes) => {
    const { path, launch, done, read, end } = storm();
    const queue = await createDirQueue(realMachine, path);
    await queue.addAll(names(JOBS).map((payload) => ({ payload })));
    const workers = names(processes).map(() => launch());
    await eventually(() => expect(done().size).toBe(JOBS), DEADLINE_MS);
    await eventually(
      () => expect(readdirSync(`${path}/intray/workers`)).toHaveLength(processes), // the last to come, too
      DEADLINE_MS,
    );
    await end(workers);
    expect(read().filter(({ what }) => what === 'start')).toHaveLength(JOBS);
    expect(left(path)).toEqual([]);
  });
});

describe('workers are killed', () => {
  it('nothing is lost, and no job runs beside itself, the original among the workers', {
    timeout: DEADLINE_MS,
  }, async ({ skip }) => {
    if (!hasPerl) skip('perl is not installed');
    const random = chance();
    const { path, notes, launch, done, read, end } = storm();
    const queue = await createDirQueue(realMachine, path);
    await queue.addAll(names(JOBS).map((payload) => ({ payload })));
    const workers = names(WORKERS).map(() => launch());
    const perl = perlWorker(path, notes);
    for (let kill = 0; kill < KILLS; kill++) {
      await pauseMs(random.between(50, 400));
      const at = random.between(0, WORKERS - 1);
      const victim = workers[at] as Spawned;
      appendFileSync(notes, `killed ${victim.pid}\n`);
      signal(victim.pid, 'SIGKILL');
      await victim.ended;
      workers[at] = launch();
      original('submit', path, `late-${kill}`);
      await queue.add({ payload: `later-${kill}` });
    }
    await eventually(() => expect(done().size).toBe(JOBS + 2 * KILLS), DEADLINE_MS);
    await perl;
    await end(workers);
    await lookOnce(path);
    expect(problemsIn(read()), `seed ${random.seed}`).toEqual([]);
    // Who was killed last may have had no job, so that nobody has missed it yet.
    const last = await queue.join();
    expect((await last.claim()).kind).toBe('idle');
    await last.close();
    expect(left(path)).toEqual([]);
  });
});

async function perlWorker(path: string, notes: string): Promise<void> {
  const child = spawn('perl', [ORIGINAL, 'work', path, notes, '1'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
}

/** A job starts again only when who ran it was killed, and not after a `done` of one that lives. */
function problemsIn(notes: readonly Note[]): string[] {
  const killed = new Set<number>();
  const running = new Map<string, number>();
  const problems: string[] = [];
  for (const { what, pid, text } of notes) {
    if (what === 'killed') killed.add(pid);
    if (what !== 'start') continue;
    const before = running.get(text);
    if (before !== undefined && !killed.has(before))
      problems.push(`${text}: ${before} lives, and ${pid} runs it`);
    running.set(text, pid);
  }
  return problems;
}
