/** The files of a queue: which of them are units of work, and what they say. */

import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, type FileStatus, type Files, hasErrno, type Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import { HEAD_LIMIT_BYTES, hasLogTitle, parseUnit, type Unit } from './text.ts';

/** The rest of what file systems allow is for the suffix that a move may have to add. */
export const NAME_LIMIT_BYTES = 235;

export type Listed = {
  readonly units: readonly string[];
  readonly readmes: readonly string[];
  /** Of each file that an editor has open, by the name of that file, the one by which it is known. */
  readonly editors: ReadonlyMap<string, string>;
  readonly directories: readonly string[];
  /** Links, pipes, sockets, devices. */
  readonly strange: readonly string[];
};

/**
 * What lies in a queue. Names that begin with a dot, end in ~ or stand between # are editors', sync tools' and our own; `4913`
 * is what vim tries a directory with.
 */
export async function listQueue({ files }: Machine, directory: string): Promise<Listed> {
  const units: string[] = [];
  const readmes: string[] = [];
  const directories: string[] = [];
  const strange: string[] = [];
  const editors = new Map<string, string>();
  for (const { name, kind } of await files.readdir(directory)) {
    const edited = editedName(name);
    if (edited !== undefined) editors.set(edited, name);
    if (isOthers(name)) continue;
    if (kind === 'directory') directories.push(name);
    else if (kind !== 'file') strange.push(name);
    else if (/^readme/i.test(name)) readmes.push(name);
    else units.push(name);
  }
  return { units: units.sort(), readmes: readmes.sort(), editors, directories, strange };
}

function isOthers(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~') || /^#.*#$/s.test(name) || name === '4913';
}

/** Of the file beside which an editor has put `name` while it has it open: vim and nano, emacs, LibreOffice. */
function editedName(name: string): string | undefined {
  const [, swap, lock, office] = /^(?:\.(.+)\.sw[a-p]|\.#(.+)|\.~lock\.(.+)#)$/s.exec(name) ?? [];
  return swap ?? lock ?? office;
}

export type SeenUnit = { readonly kind: 'unit'; readonly unit: Unit; readonly file: FileStatus };

export type Seen =
  | SeenUnit
  | { readonly kind: 'invalid'; readonly reason: string; readonly file: FileStatus }
  /** Nobody can tell. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'gone' };

export async function seeUnit({ files }: Machine, path: string): Promise<Seen> {
  let source: Descriptor;
  try {
    source = await files.open(path, 'read-job');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return { kind: 'gone' };
    return { kind: 'unreadable', reason: reasonOf(error) };
  }
  try {
    return (await seeOpenUnit(files, source)).seen;
  } catch (error) {
    return { kind: 'unreadable', reason: reasonOf(error) };
  } finally {
    await closeQuietly(files, source);
  }
}

/** The same for a file that is open at its first byte; with what was read of it. */
export async function seeOpenUnit(
  files: Files,
  source: Descriptor,
): Promise<{ readonly seen: Exclude<Seen, { kind: 'gone' | 'unreadable' }>; readonly head: Uint8Array }> {
  const file = await files.fstat(source);
  const head = await readHead(files, source);
  if (head.length > HEAD_LIMIT_BYTES) {
    const reason = 'it does not come to its `==== JOB LOG` within 1 MiB';
    return { seen: { kind: 'invalid', reason, file }, head };
  }
  const parsed = parseUnit(head);
  return { seen: parsed.kind === 'unit' ? { ...parsed, file } : { ...parsed, file }, head };
}

const FIRST_BYTES = 16 * 1024;

/** As far as the title of the log, or to the end; longer than the limit when neither was found. */
async function readHead(files: Files, source: Descriptor): Promise<Uint8Array> {
  let buffer = new Uint8Array(FIRST_BYTES);
  let filled = 0;
  for (;;) {
    const count = await files.read(source, buffer, filled, buffer.length - filled);
    filled += count;
    const head = buffer.subarray(0, filled);
    if (count === 0 || filled > HEAD_LIMIT_BYTES) return head;
    if (filled < buffer.length) continue;
    if (hasLogTitle(head)) return head;
    const larger = new Uint8Array(2 * buffer.length);
    larger.set(head);
    buffer = larger;
  }
}

export async function isThere(files: Files, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    if (hasErrno(error, 'ELOOP', 'EACCES')) return true; // a name all the same
    throw error;
  }
}
