/** Many worker processes and many jobs, nobody killed: each job once, each lane in its order. */

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import { termsToEnv } from '../../src/queue/terms.ts';
import { makeRooms, writeSettings } from '../../src/spool/home/rooms.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { packet } from '../support/packets.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance } from './support/chance.ts';
import { LONGER } from './support/needs.ts';
import { type Spawned, signal, spawnGroup } from './support/storm.ts';

const JOBS = 10_000 * LONGER;
const SENDERS = 50;
const JOBS_OF_SENDER = 200;

const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('./support/noting-worker.ts', import.meta.url));

const temporary = useTemporary();

describe('many workers', () => {
  it('run each of many jobs once', { timeout: 300_000 * LONGER }, async () => {
    const queue = await freeQueue();
    const names = Array.from({ length: JOBS }, (_, n) => String(n));
    await queue.addAll(names.map((payload) => ({ payload })));
    const runs = await workedBy({ processes: 4, concurrency: 4, failing: 0 }, queue.location, JOBS);
    expect(runs.filter(({ what }) => what === 'start').length).toBe(JOBS);
    expect(new Set(runs.filter(({ what }) => what === 'done').map(({ payload }) => payload)).size).toBe(JOBS);
  });

  it('keep the order of each sender, whatever order its jobs arrive in, and however many fail', {
    timeout: 300_000,
  }, async () => {
    const random = chance();
    const queue = await freeQueue();
    const total = SENDERS * JOBS_OF_SENDER;
    const order = shuffled(
      Array.from({ length: total }, (_, n) => n),
      random,
    );
    const running = workedBy({ processes: 4, concurrency: 2, failing: 0.1 }, queue.location, total);
    for (const n of order) deliver(queue.location, n % SENDERS, Math.floor(n / SENDERS) + 1);
    const runs = await running;
    for (let sender = 0; sender < SENDERS; sender++) {
      const own = runs.filter(({ payload }) => payload.startsWith(`${sender}/`));
      expect(problemsOf(own), `seed ${random.seed}, sender ${sender}`).toEqual([]);
      expect(own.filter(({ what }) => what === 'done').length).toBe(JOBS_OF_SENDER);
    }
  });
});

async function freeQueue() {
  const path = `${temporary.path()}/queue`;
  const queue = await createSpool(realMachine, path);
  await makeRooms(realMachine, path);
  await writeSettings(realMachine, path, { order: 'free' });
  return queue;
}

/** As a sync tool would, for a sender that has nothing but the original. */
function deliver(queue: string, sender: number, number: number): void {
  const name = `${sender}-${number}`;
  const env = termsToEnv({ lane: `sender-${sender}` });
  const bytes = packet({
    seq: number,
    payload: `${sender}/${number}`,
    work: { kind: 'command', params: [], env },
  });
  writeFileSync(`${queue}/jobs/.sync.${name}.tmp`, bytes);
  renameSync(`${queue}/jobs/.sync.${name}.tmp`, `${queue}/jobs/fspl-${name}.fspl`);
}

type Note = { readonly what: string; readonly payload: string };

/** Starts workers, waits until nothing is left to be done, and ends them. Returns their notes, in the order of time. */
async function workedBy(
  workers: { processes: number; concurrency: number; failing: number },
  queue: string,
  jobs: number,
): Promise<Note[]> {
  const notes = `${temporary.path()}/notes`;
  writeFileSync(notes, '');
  const { processes, concurrency, failing } = workers;
  const args = ['--no-install', WORKER, queue, String(concurrency), notes, String(failing)];
  const spawned: Spawned[] = [];
  for (let n = 0; n < processes; n++) spawned.push(spawnGroup(BUN, args, process.env));
  try {
    await eventually(
      () => expect(notesIn(notes).filter(({ what }) => what === 'done').length).toBe(jobs),
      280_000 * LONGER,
    );
  } finally {
    for (const { pid } of spawned) signal(pid, 'SIGTERM');
  }
  for (const { ended } of spawned) expect(await ended).toEqual({ code: 0, stderr: '' });
  expect(['jobs', 'work', 'failed'].flatMap((room) => readdirSync(`${queue}/${room}`))).toEqual([]);
  return notesIn(notes);
}

function notesIn(file: string): Note[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [what = '', payload = ''] = line.split(' ');
      return { what, payload };
    });
}

/** What is wrong with the runs of one sender: one at a time, each number after the one before was done. */
function problemsOf(notes: readonly Note[]): string[] {
  const problems: string[] = [];
  let next = 1;
  let running = false;
  for (const { what, payload } of notes) {
    const number = Number(payload.split('/')[1]);
    if (number !== next) problems.push(`${what} ${payload}, when ${next} was to come`);
    if ((what === 'start') === running)
      problems.push(`${what} ${payload}, when one was ${running ? '' : 'not '}running`);
    running = what === 'start';
    if (what === 'done') next += 1;
  }
  return problems;
}

function shuffled<T>(items: T[], random: ReturnType<typeof chance>): T[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.between(0, at);
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
}
