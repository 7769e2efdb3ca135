/** Workers of a queue of IPC::DirQueue, and what they note of the jobs that they run. */

import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createDirQueue, openDirQueue } from '../../../src/dirqueue/dirqueue.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { eventually } from '../../support/temporary.ts';
import { type Chance, pauseMs } from './chance.ts';
import { type Site, type Spawned, type StormPlace, signal, siteOf } from './storm.ts';

const BUN = fileURLToPath(new URL('../../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('./dirqueue-worker.ts', import.meta.url));

type Note = { readonly what: string; readonly worker: string; readonly text: string };

type NamedWorker = Spawned & { readonly name: string; readonly site: Site };

export type DirQueueStormOptions = {
  readonly jobs: number;
  readonly leaseMs: number;
  readonly deadlineMs: number;
};

export class DirQueueStorm {
  readonly path: string;
  readonly notes: string;
  readonly #place: StormPlace;
  readonly #options: DirQueueStormOptions;
  readonly #workers: NamedWorker[] = [];
  #launched = 0;
  #added = 0;

  /** On a queue with so many jobs. */
  static async over(place: StormPlace, options: DirQueueStormOptions): Promise<DirQueueStorm> {
    mkdirSync(place.here, { recursive: true });
    const storm = new DirQueueStorm(place, options);
    const queue = await createDirQueue(realMachine, storm.path);
    await queue.addAll(Array.from({ length: options.jobs }, (_, n) => ({ payload: `job-${n}` })));
    return storm;
  }

  constructor(place: StormPlace, options: DirQueueStormOptions) {
    this.#place = place;
    this.#options = options;
    this.#added = options.jobs;
    this.path = `${place.here}/queue`;
    this.notes = `${place.notes}/notes`;
    writeFileSync(this.notes, '');
  }

  async launch(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.#workers.push(await this.#start(siteOf(this.#place, n)));
  }

  async #start(site: Site): Promise<NamedWorker> {
    const name = `${site.name}-${++this.#launched}`;
    const settings = [`${this.#place.there}/queue`, this.notes, name, String(this.#options.leaseMs)];
    return { ...(await site.start(BUN, ['--no-install', WORKER, ...settings])), name, site };
  }

  /** Kills one after the other, a new one in the place of each; with each come jobs, ours and what `more` adds. */
  async blow(kills: number, random: Chance, more: (kill: number) => number = () => 0): Promise<void> {
    const queue = await openDirQueue(realMachine, this.path);
    for (let kill = 0; kill < kills; kill++) {
      await pauseMs(random.between(50, 400) * this.#place.slowness);
      const at = random.between(0, this.#workers.length - 1);
      const victim = this.#workers[at] as NamedWorker;
      appendFileSync(this.notes, `killed ${victim.name}\n`);
      signal(victim.pid, 'SIGKILL');
      await victim.ended;
      this.#workers[at] = await this.#start(victim.site);
      await queue.add({ payload: `later-${kill}` });
      this.#added += 1 + more(kill);
    }
  }

  async untilAllAreDone(): Promise<void> {
    await eventually(() => expect(this.#done().size).toBe(this.#added), this.#options.deadlineMs);
  }

  async end(): Promise<void> {
    await eventually(() => {
      const ready = this.read().flatMap(({ what, worker }) => (what === 'ready' ? [worker] : []));
      expect(ready).toEqual(expect.arrayContaining(this.#workers.map(({ name }) => name)));
    });
    for (const { pid } of this.#workers) signal(pid, 'SIGTERM');
    for (const { ended } of this.#workers) expect(await ended).toEqual({ code: 0, stderr: '' });
  }

  /** Should a test fail before. */
  endAll(): void {
    for (const { pid } of this.#workers) signal(pid, 'SIGKILL');
  }

  /** The file of one killed last may still be there, until its lease is over: the next worker that looks sees to it. */
  async lookUntilNothingIsLeft(): Promise<void> {
    const { deadlineMs } = this.#options;
    await eventually(async () => {
      const session = await (await openDirQueue(realMachine, this.path)).join();
      try {
        expect(await session.claim()).toMatchObject({ kind: 'idle', reason: 'empty' });
      } finally {
        await session.close();
      }
      expect(this.left()).toEqual([]);
    }, deadlineMs);
  }

  /** What a killed worker had begun to write stays in tmp/ for a day. */
  left(): string[] {
    return ['queue', 'active', 'intray/workers', 'intray/failed', 'intray/starts'].flatMap((room) =>
      readdirSync(`${this.path}/${room}`),
    );
  }

  read(): Note[] {
    return readFileSync(this.notes, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [what = '', worker = '', text = ''] = line.split(' ');
        return { what, worker, text };
      });
  }

  counts() {
    const count = (kind: string) => this.read().filter(({ what }) => what === kind).length;
    return { kills: count('killed'), jobs: this.#added, runs: count('start') };
  }

  #done(): Set<string> {
    return new Set(this.read().flatMap(({ what, text }) => (what === 'done' ? [text] : [])));
  }

  /** A job starts again only when who ran it was killed, and not after a `done` of one that lives. */
  problems(): string[] {
    const killed = new Set<string>();
    const running = new Map<string, string>();
    const problems: string[] = [];
    for (const { what, worker, text } of this.read()) {
      if (what === 'killed') killed.add(worker);
      if (what !== 'start') continue;
      const before = running.get(text);
      if (before !== undefined && !killed.has(before))
        problems.push(`${text}: ${before} lives, and ${worker} runs it`);
      running.set(text, worker);
    }
    return problems;
  }
}
