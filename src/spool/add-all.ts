/**
 * Adding many jobs at once, whose way to the disk they share.
 *
 * | step, for up to 200 jobs together              | a crash here leaves                                |
 * |------------------------------------------------|----------------------------------------------------|
 * | temporary files, each with header and payload  | litter under temporary names                       |
 * | locks of their lanes, numbers into the headers | the same                                           |
 * | fsync of the files, at once                    | the same                                           |
 * | the numbers written down                       | numbers that are used and not there: gaps, reported |
 * | renames, in their order                        | some of the jobs, in their order                   |
 * | fsync of jobs/                                 | the jobs                                           |
 */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import { following, type Sequence, sequence } from '../packet/header.ts';
import type { Added, AddOptions, JobId, NewJob } from '../queue/contract.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import { chunksOf, writeChunks } from '../queue/payload.ts';
import { putInPlace, syncDirectory } from '../queue/publish.ts';
import { addJob, giveBack, writeDown } from './add-job.ts';
import { type Order, readSettings } from './home/rooms.ts';
import { jobsDirectory, join, temporaryName } from './layout.ts';
import {
  type DraftedJob,
  draftJob,
  freeNumber,
  isNamed,
  lockNumbers,
  type Numbering,
  nameOf,
  numberedHead,
  numberingFor,
} from './new-job.ts';
import { requireQueue } from './queue-files.ts';
import type { LockedSequence } from './sequence-file.ts';

/** Each is an open file until the end of its batch. */
const BATCH = 200;

/**
 * Adds jobs in batches. When one fails, those of the batches before are in the queue; of its own batch, none, or
 * after `not-durable` perhaps some or all.
 */
export async function addAllJobs(
  machine: Machine,
  queue: string,
  jobs: Iterable<NewJob> | AsyncIterable<NewJob>,
  options: AddOptions = {},
): Promise<Added[]> {
  await requireQueue(machine, queue);
  const { order } = await readSettings(machine, queue);
  const added: Added[] = [];
  let batch: NewJob[] = [];
  const flush = async () => {
    if (batch.length > 0) added.push(...(await new Batch(machine, queue, order, options).add(batch)));
    batch = [];
  };
  for await (const job of jobs) {
    if (isNamed(job)) {
      // Whether it is to be added at all has to be found out for each by itself.
      await flush();
      added.push(await addJob(machine, queue, job, options));
      continue;
    }
    batch.push(job);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  return added;
}

type Written = {
  readonly draft: DraftedJob;
  readonly temporary: string;
  readonly target: Descriptor;
  readonly stem: string;
  readonly numbering: Numbering | undefined;
  seq: Sequence;
};

class Batch {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #order: Order;
  readonly #options: AddOptions;
  readonly #written: Written[] = [];
  /** By the path of the sequence file; locked in one order by all. */
  readonly #numbers = new Map<string, LockedSequence>();
  readonly #next = new Map<string, Sequence>();
  #writtenDown = false;
  #lastFree = sequence(0);

  constructor(machine: Machine, queue: string, order: Order, options: AddOptions) {
    this.#machine = machine;
    this.#queue = queue;
    this.#order = order;
    this.#options = options;
  }

  async add(jobs: readonly NewJob[]): Promise<Added[]> {
    const durably = (this.#options.durability ?? 'power-safe') === 'power-safe';
    const { files } = this.#machine;
    let placed = 0;
    try {
      for (const job of jobs) await this.#write(job);
      await this.#number();
      if (durably) await files.fsyncAll(this.#written.map(({ target }) => target));
      this.#writtenDown = true;
      for (const [path, numbers] of this.#numbers) await writeDown(numbers, this.#next.get(path) as Sequence);
      for (const { draft, temporary, seq, stem } of this.#written) {
        const jobs = jobsDirectory(this.#queue);
        await putInPlace(files, jobs, temporary, join(jobs, nameOf(draft, seq, stem)));
        placed += 1;
      }
    } catch (error) {
      // One that may be there keeps its number.
      if (isQueueError(error, 'not-durable')) placed += 1;
      await this.#takeBack(this.#written.slice(placed));
      throw placed === 0 ? error : this.#partly(placed, error);
    } finally {
      for (const { target } of this.#written) await closeQuietly(files, target);
      for (const numbers of this.#numbers.values()) await numbers.close();
    }
    if (durably) await syncDirectory(files, jobsDirectory(this.#queue), jobsDirectory(this.#queue));
    return this.#written.map(({ stem, seq }) => ({ id: stem as JobId, seq, duplicate: false }));
  }

  async #write(job: NewJob): Promise<void> {
    const { files, random } = this.#machine;
    const draft = draftJob(this.#machine, job);
    const { lane } = draft.terms;
    const numbering = numberingFor(this.#machine, this.#queue, this.#order, lane, this.#options.sequenceFile);
    const temporary = join(jobsDirectory(this.#queue), temporaryName(random));
    const target = await files.open(temporary, 'create');
    const seq = this.#freeNumber();
    this.#written.push({ draft, temporary, target, numbering, seq, stem: random.uuid() });
    await files.write(target, numberedHead(draft, seq));
    await writeChunks(this.#machine, target, chunksOf(job.payload));
  }

  /** Jobs of one millisecond keep their order too. */
  #freeNumber(): Sequence {
    const free = freeNumber(this.#machine);
    this.#lastFree = free > this.#lastFree ? free : following(this.#lastFree);
    return this.#lastFree;
  }

  async #number(): Promise<void> {
    const numberings = new Map(
      this.#written.flatMap(({ numbering }) =>
        numbering === undefined ? [] : [[numbering.path, numbering]],
      ),
    );
    for (const path of [...numberings.keys()].sort()) {
      const numbers = await lockNumbers(this.#machine, this.#queue, numberings.get(path) as Numbering);
      this.#numbers.set(path, numbers);
      this.#next.set(path, await numbers.read());
    }
    for (const job of this.#written) {
      if (job.numbering === undefined) continue;
      job.seq = this.#next.get(job.numbering.path) as Sequence;
      this.#next.set(job.numbering.path, following(job.seq));
      await this.#machine.files.writeAt(job.target, numberedHead(job.draft, job.seq), 0);
    }
  }

  /** The first so many are there, and may run already. */
  #partly(placed: number, cause: unknown): QueueError {
    const what = `${placed} of ${this.#written.length} jobs were added, the others not: ${reasonOf(cause)}`;
    return new QueueError('not-durable', `${jobsDirectory(this.#queue)}: ${what}`, { cause });
  }

  /** Jobs that came to nothing: their files, and the numbers that were written down for them. */
  async #takeBack(unplaced: readonly Written[]): Promise<void> {
    for (const { temporary } of unplaced) {
      try {
        await this.#machine.files.unlink(temporary);
      } catch {
        // Litter under a temporary name; nobody takes it for a job, and `repair` removes it.
      }
    }
    if (!this.#writtenDown) return;
    const first = new Map<string, Sequence>();
    for (const { numbering, seq } of unplaced) {
      if (numbering !== undefined && !first.has(numbering.path)) first.set(numbering.path, seq);
    }
    for (const [path, seq] of first) await giveBack(this.#numbers.get(path), seq);
  }
}
