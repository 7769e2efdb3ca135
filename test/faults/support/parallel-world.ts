/** A queue of parallel workers on a disk whose power is cut, and what is known of it from outside. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Chance } from './chance.ts';
import { OURS, type Running, run, runWell, start } from './commands.ts';
import type { Disk } from './disks.ts';

export const INTRAY = join(dirname(OURS.path), 'intray');

/** The name of a job is its payload: `LANE/N`, or `/N` for a job without a lane. */
export type JobName = string;

export type Promised = {
  readonly accepted: readonly JobName[];
  /** Their runs are over: the worker that ran them has ended. */
  readonly finished: readonly JobName[];
  /** Of these, those that failed for good. */
  readonly failed: readonly JobName[];
};

/** Notes its payload on a disk of its own that keeps its power; jobs named so fail. */
const NOTE = 'read -r name; echo "$name" >> "$0"; case "$name" in *bad*) exit 1;; esac';

const LEASE = '1s';
const PATIENCE_MS = 20_000;

export class ParallelWorld {
  readonly disk: Disk;
  readonly queue: string;
  readonly #notes: string;
  readonly #chance: Chance;
  readonly #accepted: JobName[] = [];
  #finished: JobName[] = [];
  #count = 0;

  constructor(disk: Disk, notes: string, name: string, random: Chance) {
    this.disk = disk;
    this.queue = join(disk.mountPoint, `queue-${name}`);
    this.#notes = join(notes, name);
    this.#chance = random;
    mkdirSync(this.#notes);
    writeFileSync(this.#historyFile, '');
  }

  get promised(): Promised {
    const failed = this.#finished.filter((name) => name.includes('bad'));
    return { accepted: [...this.#accepted], finished: [...this.#finished], failed };
  }

  initialise(): void {
    runWell(INTRAY, ['init', this.queue]);
  }

  add(lane: string, what = ''): void {
    const name = this.#newName(lane, what);
    runWell(INTRAY, ['add', this.queue, ...laneOption(lane)], `${name}\n`);
    this.#accepted.push(name);
  }

  /** Some of any kind. */
  addSome(count: number): void {
    for (let left = count; left > 0; left--) this.add(['', 'a', 'b'][this.#chance.between(0, 2)] ?? '');
  }

  /** In one command, together. */
  addTogether(lane: string, count: number): void {
    const names = Array.from({ length: count }, () => this.#newName(lane, ''));
    runWell(INTRAY, ['add', this.queue, ...laneOption(lane), '--each-line'], `${names.join('\n')}\n`);
    this.#accepted.push(...names);
  }

  /** Runs all, or so many, and waits for the end. */
  work(...options: string[]): void {
    const { status, stderr } = run(INTRAY, this.#workArgs(...options));
    if (status !== 0 && status !== 5) throw new Error(`intray work: exit status ${status}: ${stderr}`);
    this.#finished = this.history();
  }

  workBeside(): Running {
    return start(INTRAY, this.#workArgs());
  }

  /** The names of the jobs that have run, in the order of their starts. */
  history(): JobName[] {
    return readFileSync(this.#historyFile, 'utf8').split('\n').slice(0, -1);
  }

  /** What is wrong when the power is back, and all has been run that is there. */
  problems({ accepted, finished, failed }: Promised): string[] {
    if (!existsSync(join(this.queue, 'jobs'))) return ['queue lost'];
    const before = this.history();
    const complaint = this.#workUntilAllHaveRun(accepted);
    if (complaint !== undefined) return [complaint];
    const after = this.history();
    const problems = accepted.filter((name) => !after.includes(name)).map((name) => `lost: ${name}`);
    const again = after.slice(before.length);
    problems.push(
      ...finished.filter((name) => again.includes(name)).map((name) => `finished, again: ${name}`),
    );
    const kept = run(INTRAY, ['status', this.queue, '--json']).stdout.toString();
    const { failed: failedJobs } = JSON.parse(kept).counts ?? JSON.parse(kept).queues[0].counts;
    if (failedJobs < failed.length) problems.push(`${failedJobs} of ${failed.length} failed jobs are kept`);
    for (const lane of ['a', 'b']) problems.push(...this.#outOfOrder(lane, after));
    return problems;
  }

  /** What the dead worker had comes back when its lease is over. */
  #workUntilAllHaveRun(accepted: readonly JobName[]): string | undefined {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { status, stderr } = run(INTRAY, this.#workArgs('--blocked', 'skip'));
      if (![0, 3, 5, 9].includes(status ?? -1)) return `exit status ${status} of the worker: ${stderr}`;
      const ran = new Set(this.history());
      if (accepted.every((name) => ran.has(name)) || performance.now() > deadline) return undefined;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }

  /** A job may run again, but none before the one before it has run. */
  #outOfOrder(lane: string, history: readonly JobName[]): string[] {
    const problems: string[] = [];
    let highest = 0;
    const numbers = this.#accepted.filter((name) => name.startsWith(`${lane}/`)).map(numberOf);
    for (const number of history.filter((name) => name.startsWith(`${lane}/`)).map(numberOf)) {
      const missed = numbers.find((other) => other > highest && other < number);
      if (missed !== undefined) problems.push(`${lane}/${number} before ${lane}/${missed}`);
      highest = Math.max(highest, number);
    }
    return problems;
  }

  #newName(lane: string, what: string): JobName {
    return `${lane}/${what}${++this.#count}`;
  }

  #workArgs(...options: string[]): string[] {
    return [
      'work',
      this.queue,
      '-j',
      '3',
      '--lease',
      LEASE,
      ...options,
      '--',
      'sh',
      '-c',
      NOTE,
      this.#historyFile,
    ];
  }

  get #historyFile(): string {
    return join(this.#notes, 'history');
  }
}

function laneOption(lane: string): string[] {
  return lane === '' ? [] : ['--lane', lane];
}

function numberOf(name: JobName): number {
  return Number(name.split('/')[1]?.replace(/\D/g, ''));
}
