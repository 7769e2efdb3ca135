/**
 * Adding jobs, one or many, as the original does, and on the disk for good.
 *
 * | step                                              | a crash here leaves                                  |
 * |---------------------------------------------------|------------------------------------------------------|
 * | the data file made in data/X/Y/; a stream that is | a data file that belongs to no job, or litter in     |
 * | still to come in tmp/, and linked there at its end| tmp/                                                 |
 * | tmp/ID.ctrl written                               | the same                                             |
 * | fsync of both files, and of data/X/Y/, at once    | the same                                             |
 * | tmp/ID.ctrl linked into queue/, its tmp name      | the job; after a power cut it may be gone, with a    |
 * | removed                                           | data file that belongs to no job                     |
 * | fsync of queue/, whose time is set to now         | the job                                              |
 *
 * A control file is never on the disk without its data file. A job with `notBefore` goes to intray/later/ instead of
 * queue/, where workers of the original would start it at once. Calls that overlap share both syncs.
 */

import { toMs } from '../os/calendar.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import type { Added, AddOptions, JobId, NewJob } from '../queue/contract.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import { GroupSync } from '../queue/group-sync.ts';
import { draftOf } from './draft.ts';
import { controlPath, hasFanout } from './fanout.ts';
import { otherJobId } from './job-id.ts';
import { directoryOf, join, makeOwnRooms, ownRoom, room } from './layout.ts';
import { type FileModes, FileWriter, type NewFiles } from './new-files.ts';
import { putLink } from './put.ts';

/** So many files are open at once, and synced together. */
const MOST_OPEN = 400;
/** Nobody meets so many others in one microsecond. */
const TRIES = 10;

/** A job whose files are there, all but the name that makes it one. */
type Prepared = NewFiles & { readonly notBeforeMs: number | undefined };

export class Adder {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #writer: FileWriter;
  readonly #group: GroupSync;
  #fanout: boolean | undefined;

  constructor(machine: Machine, queue: string, modes: FileModes = {}) {
    this.#machine = machine;
    this.#queue = queue;
    this.#writer = new FileWriter(machine, queue, modes);
    this.#group = new GroupSync(machine.files);
  }

  async add(job: NewJob, options?: AddOptions): Promise<Added> {
    const [added] = await this.addAll([job], options);
    return added as Added;
  }

  /** All of them, or, when it says `not-durable`, the first ones; on any other error none. */
  async addAll(
    jobs: Iterable<NewJob> | AsyncIterable<NewJob>,
    { durability = 'power-safe' }: AddOptions = {},
  ): Promise<Added[]> {
    const isSynced = durability === 'power-safe';
    const prepared = await this.#prepareAll(jobs, isSynced);
    const added: Added[] = [];
    try {
      const directories = new Set<string>();
      for (const job of prepared) {
        const { id, directory } = await this.#place(job);
        added.push({ id: id as JobId, seq: undefined, duplicate: false });
        directories.add(directory);
      }
      if (isSynced) await this.#group.sync({ directories });
    } catch (error) {
      const placed = added.length;
      const isInDoubt = isQueueError(error, 'not-durable');
      await this.#takeBack(prepared.slice(isInDoubt ? placed + 1 : placed));
      throw placed === 0 || isInDoubt ? error : this.#partly(placed, prepared.length, error);
    }
    await this.#tell();
    return added;
  }

  /** Until here nothing is in the queue, and on any error nothing will be. */
  async #prepareAll(
    jobs: Iterable<NewJob> | AsyncIterable<NewJob>,
    isSynced: boolean,
  ): Promise<readonly Prepared[]> {
    const prepared: Prepared[] = [];
    const open: Descriptor[] = [];
    try {
      for await (const job of jobs) {
        const draft = draftOf(job);
        const files = await this.#writer.write(draft, job.payload, open);
        prepared.push({ ...files, notBeforeMs: draft.notBeforeMs });
        if (open.length < MOST_OPEN) continue;
        if (isSynced) await this.#group.sync({ files: open });
        await this.#closeAll(open);
      }
      if (isSynced) {
        const directories = this.#writer.directoriesToSync(prepared);
        await this.#group.sync({ files: open, directories });
        this.#writer.areLasting(directories);
      }
      await this.#closeAll(open);
      return prepared;
    } catch (error) {
      await this.#closeAll(open).catch(() => {}); // the error that brought us here is the one to tell
      await this.#takeBack(prepared);
      throw isQueueError(error, 'not-durable')
        ? new QueueError('not-written', error.message, { cause: error })
        : error;
    }
  }

  async #closeAll(open: Descriptor[]): Promise<void> {
    const failed: unknown[] = [];
    for (let target = open.pop(); target !== undefined; target = open.pop()) {
      try {
        await this.#machine.files.close(target);
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0) throw failed[0];
  }

  /** The moment a job is there. */
  async #place(
    job: Prepared,
  ): Promise<{ readonly id: string /** Where it is. */; readonly directory: string }> {
    let { id } = job;
    for (let tries = 1; ; tries++) {
      const path = await this.#pathOf(id, job.notBeforeMs);
      if (await putLink(this.#machine, job.control, path)) {
        await this.#writer.unlinkQuietly(job.control.path);
        return { id, directory: directoryOf(path) };
      }
      if (tries === TRIES) throw new QueueError('not-written', `${path}: there is a job of that name`);
      id = otherJobId(job.id, this.#machine);
    }
  }

  async #pathOf(id: string, notBeforeMs: number | undefined): Promise<string> {
    if (notBeforeMs !== undefined && notBeforeMs > toMs(this.#machine.clock.now())) {
      await makeOwnRooms(this.#machine, this.#queue);
      return join(ownRoom(this.#queue, 'later'), `${notBeforeMs}.${id}`);
    }
    this.#fanout ??= await hasFanout(this.#machine, this.#queue);
    return controlPath(this.#machine, this.#queue, this.#fanout, id);
  }

  /** Workers of the original look at the time of queue/; where there is fan-out nothing else changes it. */
  async #tell(): Promise<void> {
    try {
      await this.#machine.files.touch(room(this.#queue, 'queue'));
    } catch {
      // They look again after a while all the same; and the job is there.
    }
  }

  /** Jobs that came to nothing: their files. */
  async #takeBack(prepared: readonly NewFiles[]): Promise<void> {
    for (const { control, dataPath } of prepared) {
      await this.#writer.unlinkQuietly(control.path);
      await this.#writer.unlinkQuietly(dataPath);
    }
  }

  #partly(placed: number, all: number, cause: unknown): QueueError {
    const what = `${placed} of ${all} jobs were added, the others not: ${reasonOf(cause)}`;
    return new QueueError('not-durable', `${room(this.#queue, 'queue')}: ${what}`, { cause });
  }
}
