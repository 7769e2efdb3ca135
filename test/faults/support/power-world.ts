/** One queue and one sender on a disk whose power is cut, and what is known of them from outside. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chance } from './chance.ts';
import { addWithLibrary, ORIGINAL, type Program, type Running, run, runWell, start } from './commands.ts';
import type { Disk } from './disks.ts';
import { lookInto } from './job-files.ts';

export type Problem =
  | 'job lost'
  | 'job damaged'
  | 'number given out twice'
  | 'finished job waited for'
  | 'finished job runs again'
  | 'number unreadable'
  | 'queue lost'
  | 'strange file';

/** What had been promised at some moment. */
export type Promised = {
  /** By number. */
  readonly accepted: ReadonlyMap<number, Buffer>;
  /** The highest number that was given out. */
  readonly given: number;
  /** All jobs below this number are over: a `queue-process` that ran them has returned 0. */
  readonly settledBelow: number;
};

/** The command of every job notes its number, on a disk of its own that keeps its power. */
const NOTE_NUMBER = 'echo "$FSPL_SEQ" >> "$0"';

const LARGEST_PAYLOAD_BYTES = 100_000;

export class PowerWorld {
  readonly program: Program;
  readonly disk: Disk;
  readonly queue: string;
  readonly sequenceFile: string;
  readonly #chance: Chance;
  readonly #notes: string;
  readonly #accepted = new Map<number, Buffer>();
  #given = 0;
  #settledBelow = 0;

  constructor(program: Program, disk: Disk, notes: string, name: string, chance: Chance) {
    this.program = program;
    this.disk = disk;
    this.queue = join(disk.mountPoint, `queue-${name}`);
    this.sequenceFile = join(disk.mountPoint, `sender-${name}`);
    this.#notes = join(notes, name);
    this.#chance = chance;
    mkdirSync(this.#notes);
  }

  get promised(): Promised {
    return { accepted: new Map(this.#accepted), given: this.#given, settledBelow: this.#settledBelow };
  }

  get isOriginal(): boolean {
    return this.program === ORIGINAL;
  }

  initialise(): void {
    runWell(this.program.path, ['queue-init', '-q', this.queue]);
  }

  /** `prepare | queue-write`, to the end. */
  addThroughPipe(): void {
    const { path } = this.program;
    const payload = this.#newPayload();
    const line = 'set -o pipefail; "$0" prepare -s "$1" -i "$2" | "$0" queue-write -q "$3"';
    runWell('bash', ['-c', line, path, this.sequenceFile, payload, this.queue]);
    this.#given += 1;
    this.#accepted.set(this.#given, readFileSync(payload));
  }

  /** The same, while the test goes on. False when it was cut short. */
  async addBeside(started: (running: Running) => void): Promise<boolean> {
    const { path } = this.program;
    const payload = this.#newPayload();
    const line = 'set -o pipefail; "$0" prepare -s "$1" -i "$2" | "$0" queue-write -q "$3"';
    const running = start('bash', ['-c', line, path, this.sequenceFile, payload, this.queue]);
    started(running);
    if ((await running.ended) !== 0) return false;
    this.#given += 1;
    this.#accepted.set(this.#given, readFileSync(payload));
    return true;
  }

  addWithLibrary(count: number): void {
    const payloads = Array.from({ length: count }, () => this.#newPayload());
    const numbers = addWithLibrary(this.queue, this.sequenceFile, payloads);
    for (const [at, number] of numbers.entries()) {
      this.#accepted.set(number, readFileSync(payloads[at] ?? ''));
      this.#given = Math.max(this.#given, number);
    }
  }

  /** Takes a number for a packet that goes another way. */
  takeNumber(): void {
    runWell(this.program.path, ['prepare', '-s', this.sequenceFile]);
    this.#given += 1;
  }

  setSenderNumber(next: number): void {
    runWell(this.program.path, ['prepare-set-next', '-s', this.sequenceFile, String(next)]);
    this.#given = next - 1;
  }

  setQueueNumber(next: number): void {
    runWell(this.program.path, ['queue-set-next', '-q', this.queue, String(next)]);
    this.#settledBelow = next;
  }

  processSome(count: number): void {
    runWell(this.program.path, this.#processArgs('-n', String(count)));
    this.#settledBelow = Math.max(...this.history()) + 1;
  }

  processBeside(): Running {
    return start(this.program.path, this.#processArgs());
  }

  /** The numbers of the jobs that have run, in the order in which they did. */
  history(): number[] {
    if (!existsSync(this.#historyFile)) return [];
    return readFileSync(this.#historyFile, 'utf8').trim().split('\n').filter(Boolean).map(Number);
  }

  /** Looks at what is there after a cut, and then lets the queue be worked. */
  problems({ accepted, given, settledBelow }: Promised): Problem[] {
    if (!existsSync(join(this.queue, 'jobs'))) return ['queue lost'];
    const found = lookInto(this.queue);
    const { next } = found;
    if (next === undefined) return ['number unreadable'];
    const problems: Problem[] = found.strange.map(() => 'strange file');
    const ran = new Set(this.history());
    for (const [seq, payload] of accepted) {
      const [job, ...more] = found.jobs.filter((candidate) => candidate.seq === seq);
      if (job !== undefined) {
        if (more.length > 0) problems.push('number given out twice');
        if (!job.payload.equals(payload)) problems.push('job damaged');
        if (next > seq && !ran.has(seq) && settledBelow <= seq) problems.push('job lost');
      } else if (!ran.has(seq)) problems.push('job lost');
      else if (next <= seq) problems.push('finished job waited for');
    }
    if (next < settledBelow) problems.push('finished job runs again');
    if (this.#nextOfSender() <= given) problems.push('number given out twice');
    if (problems.length === 0) problems.push(...this.#problemsWhenWorked(accepted, settledBelow));
    return problems;
  }

  #problemsWhenWorked(accepted: ReadonlyMap<number, Buffer>, settledBelow: number): Problem[] {
    const { status } = run(this.program.path, this.#processArgs());
    if (status !== 0) return ['queue lost'];
    const ran = new Set(this.history());
    const lost = [...accepted.keys()].filter((seq) => seq >= settledBelow && !ran.has(seq));
    return lost.map(() => 'job lost');
  }

  #nextOfSender(): number {
    const { status, stdout } = run(this.program.path, ['prepare-get-next', '-s', this.sequenceFile]);
    return status === 0 ? Number(stdout.toString()) : 0;
  }

  #processArgs(...options: string[]): string[] {
    return ['queue-process', '-q', this.queue, ...options, 'sh', '--', '-c', NOTE_NUMBER, this.#historyFile];
  }

  get #historyFile(): string {
    return join(this.#notes, 'history');
  }

  #newPayload(): string {
    const path = join(this.#notes, 'payload');
    const size = this.#chance.between(0, 3) === 0 ? 0 : this.#chance.between(1, LARGEST_PAYLOAD_BYTES);
    const line = `payload ${this.#chance.next()}\n`;
    const file = `${path}-${this.#chance.next()}`;
    writeFileSync(file, line.repeat(Math.ceil(size / line.length)).slice(0, size));
    return file;
  }
}
