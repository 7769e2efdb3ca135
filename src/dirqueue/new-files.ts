/** The two files of a job that is being added: the data file in its place, the control file still under its name in tmp/. */

import { type Descriptor, type Host, hasErrno, type Machine } from '../os/ports.ts';
import type { PayloadSource } from '../queue/contract.ts';
import { QueueError } from '../queue/errors.ts';
import { chunksOf, writeChunks } from '../queue/payload.ts';
import { CONTROL_LIMIT_BYTES, formatControl } from './control-file.ts';
import { dataPath } from './data-file.ts';
import type { Draft } from './draft.ts';
import { dataPlaceOf, fromMicros, type Micros, microsOf, newJobId } from './job-id.ts';
import { directoryOf, join, makeDirectory, room } from './layout.ts';
import { putLink } from './put.ts';

export type FileModes = {
  /** Permission bits of data files and of control files. Default: 0666 less the umask. */
  readonly dataFileMode?: number;
  readonly controlFileMode?: number;
};

export type TmpFile = { readonly path: string; readonly inode: bigint };

export type NewFiles = {
  readonly id: string;
  readonly control: TmpFile;
  readonly dataPath: string;
};

/** Writes for one queue; its jobs keep their order though they come in one microsecond. */
export class FileWriter {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #modes: FileModes;
  readonly #host: Pick<Host, 'name' | 'pid'>;
  /** Directories of data files whose own names are on the disk. */
  readonly #lasting = new Set<string>();
  #lastMicros: Micros = 0n;

  constructor(machine: Machine, queue: string, modes: FileModes) {
    this.#machine = machine;
    this.#queue = queue;
    this.#modes = modes;
    this.#host = { name: machine.host.name, pid: machine.host.pid };
  }

  /** Appends to `open` what is still to be synced and closed. Leaves nothing behind when it throws, but for those. */
  async write(draft: Draft, payload: PayloadSource | undefined, open: Descriptor[]): Promise<NewFiles> {
    const { clock, random } = this.#machine;
    const now = microsOf(clock.now());
    this.#lastMicros = now > this.#lastMicros ? now : this.#lastMicros + 1n;
    const submitted = fromMicros(this.#lastMicros);
    const id = newJobId({ random, host: this.#host }, draft.priority, this.#lastMicros);
    const { dataFileMode, controlFileMode } = this.#modes;
    let size = 0;
    const data = await this.#tmpFile(`${id}.data`, open, dataFileMode, async (target) => {
      size = await writeChunks(this.#machine, target, chunksOf(payload));
      return size;
    });
    const dataFile = dataPath(this.#queue, dataPlaceOf(id));
    await this.#placeData(data, dataFile);
    try {
      const { metadata } = draft;
      const bytes = formatControl({ dataFile, size, submitted, host: this.#host.name, metadata });
      if (bytes.length > CONTROL_LIMIT_BYTES) {
        const what = `the params and env take ${bytes.length} bytes, more than the limit of ${CONTROL_LIMIT_BYTES}`;
        throw new QueueError('not-written', what);
      }
      const control = await this.#tmpFile(`${id}.ctrl`, open, controlFileMode, async (target) => {
        await this.#machine.files.write(target, bytes);
        return bytes.length;
      });
      return { id, control, dataPath: dataFile };
    } catch (error) {
      await this.unlinkQuietly(dataFile);
      throw error;
    }
  }

  /** What has to be synced so that these data files have their names for good: where they are, and the way there. */
  directoriesToSync(written: readonly NewFiles[]): ReadonlySet<string> {
    const directories = new Set<string>();
    for (const { dataPath: path } of written) {
      const directory = directoryOf(path);
      directories.add(directory);
      if (this.#lasting.has(directory)) continue;
      for (const above of [this.#queue, room(this.#queue, 'data'), directoryOf(directory)])
        directories.add(above);
    }
    return directories;
  }

  /** Those have been synced. */
  areLasting(directories: Iterable<string>): void {
    for (const directory of directories) this.#lasting.add(directory);
  }

  async unlinkQuietly(path: string): Promise<void> {
    try {
      await this.#machine.files.unlink(path);
    } catch {
      // A name in tmp/, or a data file of no job; `repair` removes it.
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
      await this.unlinkQuietly(path);
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

  async #placeData(data: TmpFile, path: string): Promise<void> {
    try {
      if (!(await this.#linkData(data, path))) {
        throw new QueueError('not-written', `${path}: there is a data file of that name`);
      }
    } finally {
      await this.unlinkQuietly(data.path);
    }
  }

  /** The original makes data/, data/X and data/X/Y when it needs them. */
  async #linkData(data: TmpFile, path: string): Promise<boolean> {
    try {
      return await putLink(this.#machine, data, path);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      const directory = directoryOf(path);
      this.#lasting.delete(directory);
      for (const missing of [room(this.#queue, 'data'), directoryOf(directory), directory])
        await makeDirectory(this.#machine, missing);
      return putLink(this.#machine, data, path);
    }
  }
}
