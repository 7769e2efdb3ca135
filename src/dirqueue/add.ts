/**
 * Adding jobs, one or many, as the original does, and on the disk for good.
 *
 * | step                                              | a crash here leaves                                  |
 * |---------------------------------------------------|------------------------------------------------------|
 * | tmp/ID.data and tmp/ID.ctrl written, fsync        | litter in tmp/                                       |
 * | tmp/ID.data linked into data/X/Y/, its tmp name   | the same, and data files that belong to no job       |
 * | removed; fsync of data/X/Y/                       |                                                      |
 * | tmp/ID.ctrl linked into queue/, its tmp name      | the job; after a power cut it may be gone, with data |
 * | removed                                           | files that belong to no job                          |
 * | fsync of queue/, whose time is set to now         | the job                                              |
 *
 * A control file is never on the disk without its data file. A job with `notBefore` goes to intray/later/ instead of
 * queue/, where workers of the original would start it at once.
 */

import { toMs } from '../os/calendar.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import type { Added, AddOptions, JobId, NewJob } from '../queue/contract.ts';
import { isQueueError, QueueError, reasonOf } from '../queue/errors.ts';
import { chunksOf, writeChunks } from '../queue/payload.ts';
import { type Durability, syncDirectory } from '../queue/publish.ts';
import {
  CONTROL_LIMIT_BYTES,
  checkMetadata,
  formatControl,
  type Metadata,
  toMetadata,
} from './control-file.ts';
import { dataPath } from './data-file.ts';
import {
  DEFAULT_PRIORITY,
  dataPlaceOf,
  fanoutOf,
  fromMicros,
  LAST_PRIORITY,
  type Micros,
  microsOf,
  newJobId,
  otherJobId,
} from './job-id.ts';
import { FANOUT, isThere, join, makeDirectory, makeOwnRooms, ownRoom, room } from './layout.ts';
import { putLink } from './put.ts';

/** So many files are open at once, and synced together. */
const GROUP = 200;
/** Nobody meets so many others in one microsecond. */
const TRIES = 10;

export type FileModes = {
  /** Permission bits of data files and of control files. Default: 0666 less the umask. */
  readonly dataFileMode?: number;
  readonly controlFileMode?: number;
};

type TmpFile = { readonly path: string; readonly inode: bigint };

type Written = {
  id: string;
  readonly data: TmpFile;
  readonly control: TmpFile;
  readonly dataPath: string;
  dataIsPlaced: boolean;
  readonly notBeforeMs: number | undefined;
};

type Draft = {
  readonly priority: number;
  readonly metadata: Metadata;
  readonly notBeforeMs: number | undefined;
};

/** Adds to one queue; keeps its jobs in their order though they come in one microsecond. */
export class Adder {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #modes: FileModes;
  /** Directories that are known to be on the disk. */
  readonly #lasting = new Set<string>();
  #lastMicros: Micros = 0n;
  #fanout: boolean | undefined;

  constructor(machine: Machine, queue: string, modes: FileModes = {}) {
    this.#machine = machine;
    this.#queue = queue;
    this.#modes = modes;
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
    const written: Written[] = [];
    const open: Descriptor[] = [];
    let placed = 0;
    try {
      for await (const job of jobs) {
        written.push(await this.#write(draftOf(job), job, open));
        if (open.length >= 2 * GROUP) await this.#syncAndClose(open, durability);
      }
      await this.#syncAndClose(open, durability);
      await this.#placeData(written, durability);
      const directories = new Set<string>();
      for (const job of written) {
        directories.add(await this.#placeControl(job));
        placed += 1;
      }
      await this.#tell(directories, durability);
    } catch (error) {
      const isInDoubt = isQueueError(error, 'not-durable');
      await this.#takeBack(written.slice(isInDoubt ? placed + 1 : placed), open);
      throw placed === 0 || isInDoubt ? error : this.#partly(placed, written.length, error);
    }
    return written.map(({ id }) => ({ id: id as JobId, seq: undefined, duplicate: false }));
  }

  async #write(draft: Draft, job: NewJob, open: Descriptor[]): Promise<Written> {
    const { clock, host } = this.#machine;
    const now = microsOf(clock.now());
    this.#lastMicros = now > this.#lastMicros ? now : this.#lastMicros + 1n;
    const id = newJobId(this.#machine, draft.priority, this.#lastMicros);
    const path = dataPath(this.#queue, dataPlaceOf(id));
    const { dataFileMode, controlFileMode } = this.#modes;
    let size = 0;
    const data = await this.#tmpFile(`${id}.data`, open, dataFileMode, async (target) => {
      size = await writeChunks(this.#machine, target, chunksOf(job.payload));
      return size;
    });
    try {
      const bytes = formatControl({
        dataFile: path,
        size,
        submitted: fromMicros(this.#lastMicros),
        host: host.name,
        metadata: draft.metadata,
      });
      if (bytes.length > CONTROL_LIMIT_BYTES) {
        const what = `the params and env take ${bytes.length} bytes, more than the limit of ${CONTROL_LIMIT_BYTES}`;
        throw new QueueError('not-written', what);
      }
      const control = await this.#tmpFile(`${id}.ctrl`, open, controlFileMode, async (target) => {
        await this.#machine.files.write(target, bytes);
        return bytes.length;
      });
      return { id, data, control, dataPath: path, dataIsPlaced: false, notBeforeMs: draft.notBeforeMs };
    } catch (error) {
      await this.#unlinkQuietly(data.path);
      throw error;
    }
  }

  async #tmpFile(
    name: string,
    open: Descriptor[],
    mode: number | undefined,
    write: (target: Descriptor) => Promise<number>,
  ): Promise<TmpFile> {
    const { files } = this.#machine;
    const path = join(room(this.#queue, 'tmp'), name);
    const target = await this.#create(path);
    open.push(target);
    try {
      if (mode !== undefined) await files.fchmod(target, mode);
      const written = await write(target);
      const { size, inode } = await files.fstat(target);
      if (size !== written) {
        throw new QueueError('not-written', `${path}: ${written} bytes were written, but ${size} are there`);
      }
      return { path, inode };
    } catch (error) {
      await this.#unlinkQuietly(path);
      throw error;
    }
  }

  /** The original makes tmp/ when it needs it. */
  async #create(path: string): Promise<Descriptor> {
    const { files } = this.#machine;
    try {
      return await files.open(path, 'create');
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      await makeDirectory(this.#machine, room(this.#queue, 'tmp'));
      return files.open(path, 'create');
    }
  }

  async #syncAndClose(open: Descriptor[], durability: Durability): Promise<void> {
    const { files } = this.#machine;
    if (durability === 'power-safe') await files.fsyncAll(open);
    for (let target = open.pop(); target !== undefined; target = open.pop()) await files.close(target);
  }

  async #placeData(written: readonly Written[], durability: Durability): Promise<void> {
    const directories = new Set<string>();
    for (const job of written) {
      const { data, dataPath: path } = job;
      const directory = directoryOf(path);
      if (!directories.has(directory)) await this.#makeDataDirectory(directory, durability);
      directories.add(directory);
      if (!(await putLink(this.#machine, data, path))) {
        throw new QueueError('not-written', `${path}: there is a data file of that name`);
      }
      job.dataIsPlaced = true;
      await this.#unlinkQuietly(data.path);
    }
    if (durability !== 'power-safe') return;
    for (const directory of directories) await syncDirectory(this.#machine.files, directory, directory);
  }

  /** data/, data/X and data/X/Y, whose names must last before what is in them does. */
  async #makeDataDirectory(directory: string, durability: Durability): Promise<void> {
    if (this.#lasting.has(directory)) return;
    const parent = directoryOf(directory);
    const top = room(this.#queue, 'data');
    for (const path of [top, parent, directory]) await makeDirectory(this.#machine, path);
    if (durability !== 'power-safe') return;
    for (const path of [this.#queue, top, parent]) await syncDirectory(this.#machine.files, path, path);
    this.#lasting.add(directory);
  }

  /** The moment a job is there. Returns the directory it is in. */
  async #placeControl(job: Written): Promise<string> {
    for (let tries = 1; ; tries++) {
      const path = await this.#controlPath(job);
      if (await putLink(this.#machine, job.control, path)) {
        await this.#unlinkQuietly(job.control.path);
        return directoryOf(path);
      }
      if (tries === TRIES) throw new QueueError('not-written', `${path}: there is a job of that name`);
      job.id = otherJobId(job.id, this.#machine);
    }
  }

  async #controlPath({ id, notBeforeMs }: Written): Promise<string> {
    if (notBeforeMs !== undefined && notBeforeMs > toMs(this.#machine.clock.now())) {
      await makeOwnRooms(this.#machine, this.#queue);
      return join(ownRoom(this.#queue, 'later'), `${notBeforeMs}.${id}`);
    }
    this.#fanout ??= await hasFanout(this.#machine, this.#queue);
    return controlPath(this.#machine, this.#queue, this.#fanout, id);
  }

  /** Workers of the original look at the time of queue/; where there is fan-out nothing else changes it. */
  async #tell(directories: ReadonlySet<string>, durability: Durability): Promise<void> {
    const { files } = this.#machine;
    if (durability === 'power-safe') {
      for (const directory of directories) await syncDirectory(files, directory, directory);
    }
    try {
      await files.touch(room(this.#queue, 'queue'));
    } catch {
      // They look again after a while all the same; and the job is there.
    }
  }

  /** Jobs that came to nothing: their files. */
  async #takeBack(unplaced: readonly Written[], open: readonly Descriptor[]): Promise<void> {
    const { files } = this.#machine;
    for (const target of open) {
      try {
        await files.close(target);
      } catch {
        // The error that brought us here is the one to tell.
      }
    }
    for (const { data, control, dataPath: placed, dataIsPlaced } of unplaced) {
      const left = dataIsPlaced ? [control.path, placed] : [control.path, data.path];
      for (const path of left) await this.#unlinkQuietly(path);
    }
  }

  #partly(placed: number, all: number, cause: unknown): QueueError {
    const what = `${placed} of ${all} jobs were added, the others not: ${reasonOf(cause)}`;
    return new QueueError('not-durable', `${room(this.#queue, 'queue')}: ${what}`, { cause });
  }

  async #unlinkQuietly(path: string): Promise<void> {
    try {
      await this.#machine.files.unlink(path);
    } catch {
      // A name in tmp/ that nobody takes for a job; `repair` removes it.
    }
  }
}

/** Whether jobs are in directories of queue/. Asked without listing it: it may be long. */
export async function hasFanout(machine: Machine, queue: string): Promise<boolean> {
  for (const name of FANOUT) if (await isThere(machine, join(room(queue, 'queue'), name))) return true;
  return false;
}

/** Where the control file of a job belongs. */
export async function controlPath(
  machine: Machine,
  queue: string,
  fanout: boolean,
  id: string,
): Promise<string> {
  const top = room(queue, 'queue');
  if (!fanout) return join(top, id);
  const directory = join(top, fanoutOf(id));
  await makeDirectory(machine, directory);
  return join(directory, id);
}

function draftOf({ params = [], env = {}, lane, priority, notBefore, expires, name }: NewJob): Draft {
  if (lane !== undefined) throw notPossible('lanes: its jobs run in any order, and the original knows none');
  if (name !== undefined)
    throw notPossible('names that are remembered: nothing tells a second job from a first');
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= LAST_PRIORITY)) {
    throw new QueueError('not-written', `the priority is ${priority}, not a whole number from 0 to 99`);
  }
  if (params.some((param) => param.includes('\0'))) {
    throw new QueueError('not-written', 'the params hold a NUL, which no command can be given');
  }
  const metadata = toMetadata(params, env, timeOf('expires', expires));
  checkMetadata(metadata);
  return { priority: priority ?? DEFAULT_PRIORITY, metadata, notBeforeMs: timeOf('notBefore', notBefore) };
}

function notPossible(what: string): QueueError {
  return new QueueError('not-possible', `a queue of IPC::DirQueue has no ${what}`);
}

function timeOf(what: string, date: Date | undefined): number | undefined {
  const time = date?.getTime();
  if (time === undefined || (time >= 0 && time < 1e15)) return time;
  throw new QueueError('not-written', `${what} is not a time after 1970`);
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
