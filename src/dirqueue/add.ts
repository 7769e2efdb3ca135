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
 * queue/, where workers of the original would start it at once. Calls that overlap share both syncs. How a job with a name
 * is added, see names.ts: it is synced at every level, for what a power cut takes must not be remembered.
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
import { enter, enterForAnother, findNamed, type NamedJob, pendingPath, takeName } from './names.ts';
import { type FileModes, FileWriter, type NewFiles } from './new-files.ts';
import { putLink } from './put.ts';

/** So many files are open at once, and synced together. */
const MOST_OPEN = 400;
/** Nobody meets so many others in one microsecond. */
const TRIES = 10;

/** A job whose files are there, all but the name that makes it one. */
type Prepared = {
  readonly notBeforeMs: number | undefined;
  readonly name: string | undefined;
  /** Undefined when it is `known`. */
  files?: NewFiles | undefined;
  /** The job that had its name before. */
  known?: NamedJob | undefined;
  /** It has its name, and its files stay whatever happens: whoever adds it again goes on from there. */
  isNamed?: boolean;
};

type Placed = { readonly id: string /** To be synced. */; readonly directory: string };

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
    const { prepared, isSynced } = await this.#prepareAll(jobs, durability === 'power-safe');
    const added: Added[] = [];
    try {
      await this.#takeNames(prepared);
      const changed = new Set<string>();
      for (const job of prepared) {
        const { id, directory } = await (job.name === undefined ? this.#place(job) : this.#enter(job));
        added.push({ id: id as JobId, seq: undefined, duplicate: job.known !== undefined });
        changed.add(directory);
      }
      if (isSynced) await this.#group.sync({ directories: changed });
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
    isPowerSafe: boolean,
  ): Promise<{ readonly prepared: readonly Prepared[]; readonly isSynced: boolean }> {
    const prepared: Prepared[] = [];
    const open: Descriptor[] = [];
    let isSynced = isPowerSafe;
    try {
      for await (const job of jobs) {
        const draft = draftOf(job);
        const { name, notBeforeMs } = draft;
        isSynced ||= name !== undefined;
        const known = name === undefined ? undefined : await findNamed(this.#machine, this.#queue, name);
        if (known === undefined) {
          if (name !== undefined) await makeOwnRooms(this.#machine, this.#queue);
          const files = await this.#writer.write(draft, job.payload, open);
          prepared.push({ files, name, notBeforeMs });
        } else prepared.push({ known, name, notBeforeMs });
        if (open.length < MOST_OPEN) continue;
        if (isSynced) await this.#group.sync({ files: open });
        await this.#closeAll(open);
      }
      if (isSynced) {
        const written = prepared.flatMap(({ files }) => files ?? []);
        const directories = this.#writer.directoriesToSync(written);
        await this.#group.sync({ files: open, directories });
        this.#writer.areLasting(directories);
      }
      await this.#closeAll(open);
      return { prepared, isSynced };
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

  /** Of several adders of one name one gets it; the job of the others is that one's. */
  async #takeNames(prepared: readonly Prepared[]): Promise<void> {
    const machine = this.#machine;
    const queue = this.#queue;
    let isChanged = false;
    for (const job of prepared) {
      const { name, files } = job;
      if (name === undefined) continue;
      if (files !== undefined) {
        job.isNamed = await takeName(machine, queue, name, files.control);
        if (!job.isNamed) {
          job.known = await findNamed(machine, queue, name);
          if (job.known === undefined)
            throw new QueueError('not-written', `${queue}: the name was given up just now`);
          await this.#takeBack([job]);
        }
      }
      isChanged ||= job.known?.isPending ?? true;
    }
    if (isChanged) await this.#group.sync({ directories: [ownRoom(queue, 'names')] });
  }

  /** The moment a job with a name is there, if it has not been there before. */
  async #enter({ known, files, notBeforeMs }: Prepared): Promise<Placed> {
    const id = known?.id ?? (files as NewFiles).id;
    const pending = directoryOf(pendingPath(this.#queue, id));
    if (known?.isPending === false) return { id, directory: pending };
    const path = await this.#pathOf(id, notBeforeMs);
    const enterNow = known === undefined ? enter : enterForAnother;
    await enterNow(this.#machine, this.#queue, id, path);
    return { id, directory: known === undefined ? directoryOf(path) : pending };
  }

  /** The moment a job is there. */
  async #place({ files, notBeforeMs }: Prepared): Promise<Placed> {
    const { id: ownId, control } = files as NewFiles;
    let id = ownId;
    for (let tries = 1; ; tries++) {
      const path = await this.#pathOf(id, notBeforeMs);
      if (await putLink(this.#machine, control, path)) {
        await this.#writer.unlinkQuietly(control.path);
        return { id, directory: directoryOf(path) };
      }
      if (tries === TRIES) throw new QueueError('not-written', `${path}: there is a job of that name`);
      id = otherJobId(ownId, this.#machine);
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
  async #takeBack(prepared: readonly Prepared[]): Promise<void> {
    for (const { files, isNamed } of prepared) {
      if (files === undefined || isNamed) continue;
      await this.#writer.unlinkQuietly(files.control.path);
      await this.#writer.unlinkQuietly(files.dataPath);
    }
  }

  #partly(placed: number, all: number, cause: unknown): QueueError {
    const what = `${placed} of ${all} jobs were added, the others not: ${reasonOf(cause)}`;
    return new QueueError('not-durable', `${room(this.#queue, 'queue')}: ${what}`, { cause });
  }
}
