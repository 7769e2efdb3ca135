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
import { pendingPath } from './names.ts';
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
    const dataFile = dataPath(this.#queue, dataPlaceOf(id));
    const size = await this.#writeData(id, dataFile, payload, open);
    try {
      const { metadata } = draft;
      const bytes = formatControl({ dataFile, size, submitted, host: this.#host.name, metadata });
      if (bytes.length > CONTROL_LIMIT_BYTES) {
        const what = `the params and env take ${bytes.length} bytes, more than the limit of ${CONTROL_LIMIT_BYTES}`;
        throw new QueueError('not-written', what);
      }
      const temporary =
        draft.name === undefined
          ? join(room(this.#queue, 'tmp'), `${id}.ctrl`)
          : pendingPath(this.#queue, id);
      const mode = this.#modes.controlFileMode;
      const control = await this.#newFile(temporary, open, mode, async (target) => {
        await this.#machine.files.write(target, bytes);
        return bytes.length;
      });
      return { id, control, dataPath: dataFile };
    } catch (error) {
      await this.unlinkQuietly(dataFile);
      throw error;
    }
  }

  /** What has to be synced so that these files have their names for good: where they are, and the way there. */
  directoriesToSync(written: readonly NewFiles[]): ReadonlySet<string> {
    const directories = new Set<string>();
    for (const { control, dataPath: path } of written) {
      // That of a name in tmp/ is not for good.
      const place = directoryOf(control.path);
      if (place !== room(this.#queue, 'tmp')) directories.add(place);
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

  /** Returns how many bytes they are. */
  async #writeData(
    id: string,
    dataFile: string,
    payload: PayloadSource | undefined,
    open: Descriptor[],
  ): Promise<number> {
    let size = 0;
    const write = async (target: Descriptor) => {
      size = await writeChunks(this.#machine, target, chunksOf(payload));
      return size;
    };
    const mode = this.#modes.dataFileMode;
    // Nobody looks at a data file without a control file. One that may be long in the making is litter in tmp/ meanwhile,
    // as the original has it.
    const isWhole = payload === undefined || typeof payload === 'string' || payload instanceof Uint8Array;
    if (isWhole) await this.#newFile(dataFile, open, mode, write);
    else {
      const temporary = join(room(this.#queue, 'tmp'), `${id}.data`);
      await this.#placeData(await this.#newFile(temporary, open, mode, write), dataFile);
    }
    return size;
  }

  async #newFile(
    path: string,
    open: Descriptor[],
    mode: number | undefined,
    write: (target: Descriptor) => Promise<number>,
  ): Promise<TmpFile> {
    const { files } = this.#machine;
    const target = await this.#withWay(path, async () => files.open(path, 'create'));
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

  async #placeData(data: TmpFile, path: string): Promise<void> {
    try {
      if (await this.#withWay(path, () => putLink(this.#machine, data, path))) return;
      throw new QueueError('not-written', `${path}: there is a data file of that name`);
    } finally {
      await this.unlinkQuietly(data.path);
    }
  }

  /** The original makes tmp/, data/, data/X and data/X/Y when it needs them. */
  async #withWay<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      const way = directoryOf(path).slice(this.#queue.length + 1);
      this.#lasting.delete(directoryOf(path));
      let directory = this.#queue;
      for (const name of way.split('/')) {
        directory = join(directory, name);
        await makeDirectory(this.#machine, directory);
      }
      return act();
    }
  }
}
