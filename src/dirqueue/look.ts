/** Looking into queue/, active/ and intray/later/, again and again. */

import { toMs } from '../os/calendar.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import type { Unreadable } from '../queue/contract.ts';
import { controlPath, hasFanout } from './fanout.ts';
import {
  entriesOf,
  FANOUT,
  ifThere,
  isFanoutName,
  isGone,
  isJobName,
  isSameFile,
  isThere,
  join,
  moveFile,
  ownRoom,
  room,
  unlinkIfThere,
} from './layout.ts';
import type { WaitingJob, WaitingJobs } from './waiting.ts';

/** A look may take this part of a worker's time: so often and no more, however large the queue. */
const SHARE_OF_TIME = 0.1;

export class Look {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #waiting: WaitingJobs;
  readonly #damaged = new Map<string, Unreadable>();
  #costMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;
  #nextStartMs: number | undefined;
  #delayed = 0;
  #fanout: boolean | undefined;

  constructor(machine: Machine, queue: string, waiting: WaitingJobs) {
    this.#machine = machine;
    this.#queue = queue;
    this.#waiting = waiting;
  }

  get unreadable(): readonly Unreadable[] {
    return [...this.#damaged.values()];
  }

  /** Milliseconds since the last look ended, and until the next one is affordable. */
  get ageMs(): number {
    return this.#machine.clock.monotonicMs() - this.#endedMs;
  }

  get restMs(): number {
    return this.#costMs / SHARE_OF_TIME - this.ageMs;
  }

  /** When the first of the jobs that may not start yet may, ms since 1970, and how many there are. */
  get nextStartMs(): number | undefined {
    return this.#nextStartMs;
  }

  get delayed(): number {
    return this.#delayed;
  }

  /** A job of ours has been put off meanwhile. */
  putOff(untilMs: number): void {
    this.#delayed += 1;
    this.#nextStartMs = Math.min(untilMs, this.#nextStartMs ?? untilMs);
  }

  /** It cannot be read: it is stepped over as long as it is there. */
  stepOver(job: WaitingJob, message: string): void {
    this.#damaged.set(job.id, { path: job.path, message });
  }

  /** Brings the index up to date with the directory. */
  async look(): Promise<void> {
    const { clock } = this.#machine;
    const begun = clock.monotonicMs();
    const later = await this.#promote();
    this.#waiting.beginListing();
    const running = new Set(
      (await entriesOf(this.#machine, room(this.#queue, 'active'))).map(({ name }) => name),
    );
    const jobs = await listControls(this.#machine, this.#queue);
    // Under both names only a power cut can leave it: it has not been put off.
    for (const [id, path] of later) {
      const job = jobs.get(id);
      if (job === undefined || !(await isSameFile(this.#machine, path, job.path))) continue;
      await unlinkIfThere(this.#machine, path);
    }
    for (const id of [...this.#damaged.keys()]) if (!jobs.has(id)) this.#damaged.delete(id);
    for (const id of jobs.keys()) if (running.has(id) || this.#damaged.has(id)) jobs.delete(id);
    this.#waiting.endListing(jobs);
    this.#endedMs = clock.monotonicMs();
    this.#costMs = this.#endedMs - begun;
  }

  /** Damaged ones are looked at again now and then: somebody may have seen to them. */
  forgetDamaged(): void {
    this.#damaged.clear();
  }

  /** Puts jobs whose time has come into queue/. Of two workers who do that at once, one does. */
  async #promote(): Promise<Map<string, string>> {
    const later = new Map<string, string>();
    const { clock } = this.#machine;
    this.#nextStartMs = undefined;
    this.#delayed = 0;
    for (const { name } of await entriesOf(this.#machine, ownRoom(this.#queue, 'later'))) {
      const put = parseLaterName(name);
      if (put === undefined) continue;
      if (put.untilMs > toMs(clock.now())) {
        this.putOff(put.untilMs);
        later.set(put.id, join(ownRoom(this.#queue, 'later'), name));
        continue;
      }
      const from = join(ownRoom(this.#queue, 'later'), name);
      this.#fanout ??= await hasFanout(this.#machine, this.#queue);
      const to = await controlPath(this.#machine, this.#queue, this.#fanout, put.id);
      await ifThere(() => moveFile(this.#machine, from, to), undefined);
    }
    return later;
  }
}

export function laterName(untilMs: number, id: string): string {
  return `${untilMs}.${id}`;
}

export function parseLaterName(name: string): { readonly untilMs: number; readonly id: string } | undefined {
  const match = /^(\d{1,16})\.(\d.*)$/s.exec(name);
  return match === null ? undefined : { untilMs: Number(match[1]), id: match[2] as string };
}

/** Whether a job is in queue/. */
export async function isInQueue(machine: Machine, queue: string, id: string): Promise<boolean> {
  const top = room(queue, 'queue');
  for (const directory of [top, ...FANOUT.map((name) => join(top, name))]) {
    if (await isThere(machine, join(directory, id))) return true;
  }
  return false;
}

/** All control files in queue/, by id. */
export async function listControls(machine: Machine, queue: string): Promise<Map<string, WaitingJob>> {
  const top = room(queue, 'queue');
  const found = new Map<string, WaitingJob>();
  const directories: string[] = [];
  for (const { name, kind } of await machine.files.readdir(top)) {
    if (isFanoutName(name) && kind !== 'file') directories.push(join(top, name));
    else if (isJobName(name)) found.set(name, { id: name, path: join(top, name) });
  }
  for (const directory of directories) {
    for (const { name } of await entriesOfDirectory(machine, directory)) {
      if (isJobName(name)) found.set(name, { id: name, path: join(directory, name) });
    }
  }
  return found;
}

async function entriesOfDirectory(machine: Machine, path: string) {
  try {
    return await machine.files.readdir(path);
  } catch (error) {
    if (isGone(error) || hasErrno(error, 'EACCES')) return [];
    throw error;
  }
}

/** queue/, and its directories where it has such: whatever comes in changes one of them. */
export async function watchedDirectories(machine: Machine, queue: string): Promise<string[]> {
  const top = room(queue, 'queue');
  const names = (await entriesOf(machine, top))
    .filter(({ kind }) => kind === 'directory')
    .map(({ name }) => name);
  return [top, ...FANOUT.filter((name) => names.includes(name)).map((name) => join(top, name))];
}
