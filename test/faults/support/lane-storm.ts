/** Workers of a queue with lanes that are killed again and again while jobs come in, some by the command of the original. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { lockHolders } from '../../../src/os/lock-holders.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import type { NewJob, Queue } from '../../../src/queue/contract.ts';
import { makeRooms, writeSettings } from '../../../src/spool/home/rooms.ts';
import { createSpool } from '../../../src/spool/spool.ts';
import { eventually } from '../../support/temporary.ts';
import { type Chance, pauseMs } from './chance.ts';
import { OURS, run, runWell } from './commands.ts';
import { LANE_COMMAND, problemsOf, readLaneHistory } from './lane-command.ts';
import { childrenOf, type Site, type Spawned, type StormPlace, signal, siteOf } from './storm.ts';

const WORKERS = 3;
const MOST_AT_ONCE = 4;
const LANES = ['a', 'b', 'c'];
/** The lane whose jobs come from the command. */
const SENT_LANE = 'sent';
const PAYLOAD_LINES = 500;
/** So many jobs wait at most: the storm is about what becomes of jobs, not about long queues. */
const BACKLOG = 60;

const BUN = fileURLToPath(new URL('../../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('./storm-worker.ts', import.meta.url));

/** What a worker ends with by itself when its machine loses its network for a while. */
const CUT_OFF = /was taken for dead|ENOTCONN/;

export type LaneStormOptions = { readonly kills: number; readonly leaseMs: number };

export class LaneStorm {
  readonly #place: StormPlace;
  readonly #random: Chance;
  readonly #queue: Queue;
  readonly #options: LaneStormOptions;
  readonly #accepted = new Set<string>();
  readonly #complaints: string[] = [];
  readonly #workers = new Set<Spawned>();
  readonly #killed = { workers: 0, commands: 0 };
  #sent = 0;
  #over = false;

  static async over(place: StormPlace, random: Chance, options: LaneStormOptions): Promise<LaneStorm> {
    const path = `${place.here}/queue`;
    for (const name of ['payloads', 'running']) mkdirSync(`${place.notes}/${name}`);
    writeFileSync(`${place.notes}/job.sh`, LANE_COMMAND, { mode: 0o755 });
    writeFileSync(`${place.notes}/history`, '');
    const queue = await createSpool(realMachine, path);
    await makeRooms(realMachine, path);
    await writeSettings(realMachine, path, { order: 'free' });
    return new LaneStorm(place, random, queue, options);
  }

  constructor(place: StormPlace, random: Chance, queue: Queue, options: LaneStormOptions) {
    this.#place = place;
    this.#random = random;
    this.#queue = queue;
    this.#options = options;
  }

  get #kills(): number {
    return this.#killed.workers + this.#killed.commands;
  }

  async blow(): Promise<void> {
    const workers = Array.from({ length: WORKERS }, (_, n) => this.#work(siteOf(this.#place, n)));
    await Promise.all([this.#send(), ...workers]);
  }

  async #send(): Promise<void> {
    while (!this.#over) {
      if (readdirSync(`${this.#queue.location}/jobs`).length > BACKLOG) {
        await pauseMs(20);
        continue;
      }
      if (this.#random.next() < 0.2) this.#sendByCommand();
      else await this.#sendSome();
    }
  }

  /** Some at once, in lanes and without. */
  async #sendSome(): Promise<void> {
    const ids: string[] = [];
    const jobs: NewJob[] = [];
    for (let n = this.#random.between(1, 6); n > 0; n--) {
      const { id, payload } = this.#newJob();
      const lane = LANES[this.#random.between(0, LANES.length)];
      ids.push(id);
      jobs.push({ payload, priority: this.#random.between(40, 60), ...(lane === undefined ? {} : { lane }) });
    }
    if (jobs.length === 1) await this.#queue.add(jobs[0] as NewJob);
    else await this.#queue.addAll(jobs);
    for (const id of ids) this.#accepted.add(id);
  }

  #sendByCommand(): void {
    const { id, payload } = this.#newJob();
    const args = ['-c', 'FSPL_SET_INTRAY_LANE="$1" "$0" prepare -s "$2" -i -'];
    const packet = run('sh', [...args, OURS.path, SENT_LANE, `${this.#place.notes}/sender`], payload);
    runWell(OURS.path, ['queue-write', '-q', this.#queue.location], packet.stdout);
    this.#accepted.add(id);
  }

  #newJob(): { id: string; payload: string } {
    const id = `job-${this.#sent++}`;
    return { id, payload: `${id}\n${`line of ${id}\n`.repeat(PAYLOAD_LINES)}last ${id}\n` };
  }

  /** One worker after the other, each killed once it has jobs; now and then only one of its commands. */
  async #work(site: Site): Promise<void> {
    while (!this.#over) {
      const worker = await this.#startWorker(site, 'wait');
      let ended = false;
      void worker.ended.then(() => {
        ended = true;
      });
      while (!ended && !this.#over) {
        await eventually(() => expect(ended || this.#over || this.#commandsOf(worker).length > 0).toBe(true));
        await pauseMs(this.#random.between(0, 120) * this.#place.slowness);
        const commands = this.#commandsOf(worker);
        const victim = commands[this.#random.between(0, commands.length)];
        if (victim !== undefined && this.#random.next() < 0.3) {
          if (signal(victim, 'SIGKILL')) this.#count('commands');
        } else if (signal(worker.pid, 'SIGKILL')) {
          this.#count('workers');
          break;
        }
      }
      signal(worker.pid, 'SIGKILL');
      const { code, stderr } = await worker.ended;
      this.#workers.delete(worker);
      if (code !== null && !CUT_OFF.test(stderr))
        this.#complaints.push(`a worker ended by itself with ${code}: ${stderr}`);
    }
  }

  async #startWorker(site: Site, until: 'wait' | 'end'): Promise<Spawned> {
    const { notes, there } = this.#place;
    const atOnce = String(this.#random.between(2, MOST_AT_ONCE));
    const settings = [`${there}/queue`, atOnce, until, String(this.#options.leaseMs)];
    const args = ['--no-install', WORKER, ...settings, `${notes}/job.sh`, notes];
    const worker = await site.start(BUN, args);
    this.#workers.add(worker);
    return worker;
  }

  /** Not one that has yet to become a command or a watchdog: it still looks like the worker, whose words name the job too. */
  #commandsOf({ pid }: Spawned): number[] {
    return childrenOf(pid).flatMap(({ pid: child, command }) =>
      command.startsWith('/bin/bash ') && command.includes('job.sh') ? [child] : [],
    );
  }

  #count(kind: 'workers' | 'commands'): void {
    this.#killed[kind] += 1;
    if (this.#kills >= this.#options.kills) this.#over = true;
  }

  /** Nobody is killed any more: all that waits, or was being run, is run to its end. */
  async heal(): Promise<void> {
    await eventually(async () => {
      const worker = await this.#startWorker(siteOf(this.#place, 0), 'end');
      const { code, stderr } = await worker.ended;
      this.#workers.delete(worker);
      expect({ code, stderr, left: await this.#left() }).toEqual({ code: 0, stderr: '', left: [] });
    }, 300_000);
  }

  /** What is not where it should be when all is over; of a worker's room also what is in it, and who has its lock. */
  async #left(): Promise<string[]> {
    const { location } = this.#queue;
    const left = ['jobs', 'work', 'failed', 'done'].flatMap((room) =>
      readdirSync(`${location}/${room}`).map((name) => `${room}/${name}`),
    );
    return Promise.all(
      left.map(async (path) => (path.startsWith('work/') ? `${path}: ${await this.#roomOf(path)}` : path)),
    );
  }

  async #roomOf(path: string): Promise<string> {
    const room = `${this.#queue.location}/${path}`;
    try {
      const holders = (await lockHolders(realMachine, `${room}/worker`)) ?? [];
      const commands = holders.map(({ pid }) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
      );
      return JSON.stringify({ files: readdirSync(room), holders, commands });
    } catch (error) {
      return String(error); // it goes while we look
    }
  }

  endAll(): void {
    for (const { pid } of this.#workers) signal(pid, 'SIGKILL');
  }

  problems(): string[] {
    const history = readLaneHistory(readFileSync(`${this.#place.notes}/history`, 'utf8'));
    const { runAgain } = this.counts();
    const most = this.#kills * MOST_AT_ONCE;
    return [
      ...problemsOf(history, this.#accepted),
      ...this.#complaints,
      ...(runAgain > most ? [`${runAgain} runs more than jobs, with ${this.#kills} kills`] : []),
    ];
  }

  counts() {
    const history = readLaneHistory(readFileSync(`${this.#place.notes}/history`, 'utf8'));
    const starts = history.filter(({ kind }) => kind === 'start');
    return {
      kills: this.#kills,
      ...this.#killed,
      accepted: this.#accepted.size,
      runs: starts.length,
      runAgain: starts.length - new Set(starts.map(({ id }) => id)).size,
    };
  }
}
