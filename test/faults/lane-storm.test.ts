/**
 * kill -9 on parallel workers, hundreds of times: several processes, each with several jobs at once, on one queue with
 * lanes and with jobs that may run in any order. Jobs come in meanwhile, some of them by the command of the original,
 * whose files have other names. What the jobs did is in a history that they write themselves.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue } from '../../src/queue/contract.ts';
import { makeRooms, writeSettings } from '../../src/spool/home/rooms.ts';
import { createSpool } from '../../src/spool/spool.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { OURS, run, runWell } from './support/commands.ts';
import { LANE_COMMAND, problemsOf, readLaneHistory } from './support/lane-command.ts';
import { LONGER, lacking } from './support/needs.ts';
import { childrenOf, living, type Spawned, signal, spawnGroup } from './support/storm.ts';

const KILLS = 120 * LONGER;
const WORKERS = 3;
const MOST_AT_ONCE = 4;
const LANES = ['a', 'b', 'c'];
/** The lane whose jobs come from the command. */
const SENT_LANE = 'sent';
const PAYLOAD_LINES = 500;
/** So many jobs wait at most: the storm is about what becomes of jobs, not about long queues. */
const BACKLOG = 60;

const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));
const WORKER = fileURLToPath(new URL('./support/storm-worker.ts', import.meta.url));

const reason = lacking({ tools: ['bash', 'sleep'] });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(
  `kill -9 of parallel workers${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('loses no job, keeps the order of lanes, and runs none twice at once', {
      timeout: 600_000 * LONGER,
    }, async () => {
      const random = chance();
      const storm = await LaneStorm.over(temporary.path(), random);
      try {
        await storm.blow();
        await storm.heal();
      } finally {
        storm.endAll();
        console.log(`lane storm, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
      }
      expect(storm.problems(), `seed ${random.seed}`).toEqual([]);
      expect(storm.counts().runs).toBeGreaterThan(KILLS / 2);
      await eventually(() => {
        expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
      });
    });
  },
);

class LaneStorm {
  readonly #directory: string;
  readonly #random: Chance;
  readonly #queue: Queue;
  readonly #accepted = new Set<string>();
  readonly #complaints: string[] = [];
  readonly #workers = new Set<Spawned>();
  readonly #killed = { workers: 0, commands: 0 };
  #sent = 0;
  #over = false;

  static async over(directory: string, random: Chance): Promise<LaneStorm> {
    const path = `${directory}/queue`;
    for (const name of ['payloads', 'running']) mkdirSync(`${directory}/${name}`);
    writeFileSync(`${directory}/job.sh`, LANE_COMMAND, { mode: 0o755 });
    writeFileSync(`${directory}/history`, '');
    const queue = await createSpool(realMachine, path);
    await makeRooms(realMachine, path);
    await writeSettings(realMachine, path, { order: 'free' });
    return new LaneStorm(directory, random, queue);
  }

  constructor(directory: string, random: Chance, queue: Queue) {
    this.#directory = directory;
    this.#random = random;
    this.#queue = queue;
  }

  get #kills(): number {
    return this.#killed.workers + this.#killed.commands;
  }

  async blow(): Promise<void> {
    const workers = Array.from({ length: WORKERS }, () => this.#work());
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
    const packet = run('sh', [...args, OURS.path, SENT_LANE, `${this.#directory}/sender`], payload);
    runWell(OURS.path, ['queue-write', '-q', this.#queue.location], packet.stdout);
    this.#accepted.add(id);
  }

  #newJob(): { id: string; payload: string } {
    const id = `job-${this.#sent++}`;
    return { id, payload: `${id}\n${`line of ${id}\n`.repeat(PAYLOAD_LINES)}last ${id}\n` };
  }

  /** One worker after the other, each killed once it has jobs; now and then only one of its commands. */
  async #work(): Promise<void> {
    while (!this.#over) {
      const worker = this.#startWorker('wait');
      let ended = false;
      void worker.ended.then(() => {
        ended = true;
      });
      while (!ended && !this.#over) {
        await eventually(() => expect(ended || this.#over || this.#commandsOf(worker).length > 0).toBe(true));
        await pauseMs(this.#random.between(0, 120));
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
      if (code !== null) this.#complaints.push(`a worker ended by itself with ${code}: ${stderr}`);
    }
  }

  #startWorker(until: 'wait' | 'end'): Spawned {
    const job = [`${this.#directory}/job.sh`, this.#directory];
    const atOnce = String(this.#random.between(2, MOST_AT_ONCE));
    const args = ['--no-install', WORKER, this.#queue.location, atOnce, until, ...job];
    const worker = spawnGroup(BUN, args, process.env);
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
    if (this.#kills >= KILLS) this.#over = true;
  }

  /** Nobody is killed any more: all that waits, or was being run, is run to its end. */
  async heal(): Promise<void> {
    await eventually(async () => {
      const worker = this.#startWorker('end');
      const { code, stderr } = await worker.ended;
      this.#workers.delete(worker);
      expect({ code, stderr, left: this.#left() }).toEqual({ code: 0, stderr: '', left: [] });
    }, 300_000);
  }

  #left(): string[] {
    const { location } = this.#queue;
    return ['jobs', 'work', 'failed', 'done'].flatMap((room) =>
      readdirSync(`${location}/${room}`).map((name) => `${room}/${name}`),
    );
  }

  endAll(): void {
    for (const { pid } of this.#workers) signal(pid, 'SIGKILL');
  }

  problems(): string[] {
    const history = readLaneHistory(readFileSync(`${this.#directory}/history`, 'utf8'));
    const { runAgain } = this.counts();
    const most = this.#kills * MOST_AT_ONCE;
    return [
      ...problemsOf(history, this.#accepted),
      ...this.#complaints,
      ...(runAgain > most ? [`${runAgain} runs more than jobs, with ${this.#kills} kills`] : []),
    ];
  }

  counts() {
    const history = readLaneHistory(readFileSync(`${this.#directory}/history`, 'utf8'));
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
