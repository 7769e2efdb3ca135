/**
 * From a control file to its data file, without believing it.
 *
 * QDFN is a path as the submitter saw it: relative to where it was, or of a directory that has moved since, or a lie that
 * would have a worker read, and remove, any file of this host. So only its tail `data/X/Y/NAME` counts, within this queue;
 * those directories must be real ones, and the file no symbolic link.
 */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import type { Control } from './control-file.ts';
import type { DataPlace } from './job-id.ts';
import { isGone, join, room } from './layout.ts';

/** How a submitter names the data file: as the original, and not made absolute. */
export function dataPath(queue: string, { x, y, name }: DataPlace): string {
  return `${room(queue, 'data')}/${x}/${y}/${name}`;
}

/** Undefined when QDFN cannot be a data file of any queue. */
export function placeIn(dataFile: string): DataPlace | undefined {
  const match = /(?:^|\/)data\/([^/])\/([^/])\/([^/]+)$/su.exec(dataFile);
  if (match === null) return undefined;
  const [, x = '', y = '', name = ''] = match;
  return [x, y, name].some((part) => part === '.' || part === '..') ? undefined : { x, y, name };
}

export type OpenedData =
  | { readonly kind: 'data'; readonly data: Descriptor; readonly path: string }
  /** It is not there: over by now, or lost. */
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'damaged'; readonly message: string };

/** Opens data files of one queue; what it has found of directories it remembers. */
export class DataFiles {
  readonly #machine: Machine;
  readonly #queue: string;
  readonly #real = new Map<string, boolean>();
  #root: string | undefined;

  constructor(machine: Machine, queue: string) {
    this.#machine = machine;
    this.#queue = queue;
  }

  async open({ dataFile, size }: Control): Promise<OpenedData> {
    const place = placeIn(dataFile);
    if (place === undefined) return damaged('it names a data file that is not in data/ of the queue');
    const path = dataPath(this.#queue, place);
    try {
      if (!(await this.#isInside(place)))
        return damaged('the directory of its data file leads out of the queue');
      const data = await this.#machine.files.open(path, 'read-own');
      const status = await this.#machine.files.fstat(data);
      if (status.kind === 'file' && status.size === size) return { kind: 'data', data, path };
      await closeQuietly(this.#machine.files, data);
      if (status.kind !== 'file') return damaged(`its data file is a ${status.kind}`);
      return damaged(`its data file has ${status.size} bytes, and was made with ${size}`);
    } catch (error) {
      if (isGone(error)) return { kind: 'missing', message: 'its data file is missing' };
      if (hasErrno(error, 'ELOOP')) return damaged('its data file is a symbolic link');
      if (hasErrno(error, 'EACCES', 'EISDIR', 'ENXIO', 'ENAMETOOLONG')) {
        return damaged(`its data file cannot be read: ${reasonOf(error)}`);
      }
      throw error;
    }
  }

  /** The path to remove when the job is over; undefined where nothing may be removed. */
  async removable({ dataFile }: Control): Promise<string | undefined> {
    const place = placeIn(dataFile);
    if (place === undefined) return undefined;
    try {
      return (await this.#isInside(place)) ? dataPath(this.#queue, place) : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async #isInside({ x, y }: DataPlace): Promise<boolean> {
    const key = join(x, y);
    const known = this.#real.get(key);
    if (known !== undefined) return known;
    const { files } = this.#machine;
    const root = room(this.#queue, 'data');
    this.#root ??= await files.realPath(root);
    const inside = (await files.realPath(join(root, key))) === join(this.#root, key);
    this.#real.set(key, inside);
    return inside;
  }
}

function damaged(message: string): OpenedData {
  return { kind: 'damaged', message };
}
