/**
 * The file of incoming messages, which is taken away to be read, so that none is lost and none is read twice.
 *
 *     somebody                            we
 *     opens `monitor_reads` to append
 *                                         rename it to `monitor_reads.taken`
 *                                         read it to its end
 *     writes his message
 *                                         do what was read; remove the name, and keep the file open
 *                                         read on, in each turn, for a minute
 *
 * | step                          | a crash here leaves                                             |
 * |-------------------------------|-----------------------------------------------------------------|
 * | rename                        | the messages, which the next Monitor reads first                |
 * | do what they say              | the same: some may be done twice                                |
 * | unlink                        | nothing                                                         |
 *
 * Done twice is harmless: by then no job runs that could be killed, and nothing lies any more where RETRY and CANCEL
 * would look for it.
 */

import { concatBytes, decodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { unlinkIfThere } from '../os/if-there.ts';
import { type Descriptor, hasErrno, type Machine } from '../os/ports.ts';

/** How long a file that was taken is read on. */
const LATE_MS = 60_000;
/** A line whose end does not come is taken as it is after so long. */
const UNFINISHED_MS = 1000;
/** So many of those at once; beyond, the oldest is given up. */
const LATE_FILES = 8;
/** So much of a file is messages; what is behind it is not read. */
const LIMIT_BYTES = 1024 * 1024;

export type Mail = {
  readonly lines: readonly string[];
  /** Said of what was not read. */
  readonly complaint: string | undefined;
  /** To be called when all has been done. */
  done(): Promise<void>;
};

export type Inbox = {
  read(): Promise<Mail>;
  /** A line has no end yet: its writer is about to write more, or it is soon taken as it is. */
  readonly isUnfinished: boolean;
  /** There is a file with nothing in it: its writer may be about to write. */
  isAboutToBeWritten(): Promise<boolean>;
  close(): Promise<void>;
};

type Taken = {
  readonly file: Descriptor;
  /** It has its name yet: not all of it has been done. */
  isNamed: boolean;
  /** When it has last grown. */
  sinceMs: number;
  /** A line without its end. */
  rest: Uint8Array;
  bytes: number;
};

export function newInbox(machine: Machine, path: string): Inbox {
  const { files, clock } = machine;
  const taken = `${path}.taken`;
  const late: Taken[] = [];

  const take = async (): Promise<string | undefined> => {
    if (late.some(({ isNamed }) => isNamed)) return undefined;
    const left = await openRegular(machine, taken);
    if (left !== undefined) return keep(left);
    const there = await openRegular(machine, path);
    if (there === undefined || there === 'strange') return keep(there);
    const { size } = await files.fstat(there);
    if (size === 0) {
      await closeQuietly(files, there);
      return undefined;
    }
    try {
      await files.rename(path, taken);
    } catch (error) {
      await closeQuietly(files, there);
      if (hasErrno(error, 'ENOENT')) return undefined; // another file has come and gone
      throw error;
    }
    return keep(there);
  };
  const keep = (file: Descriptor | 'strange' | undefined): string | undefined => {
    if (file === 'strange') return `${path}: it is no regular file, and not read`;
    if (file !== undefined) {
      const rest = new Uint8Array(0);
      late.push({ file, isNamed: true, sinceMs: clock.monotonicMs(), rest, bytes: 0 });
    }
    return undefined;
  };
  return {
    read: async () => {
      const complaints = [await take()];
      const lines: string[] = [];
      for (const one of late) complaints.push(await readOn(machine, path, one, lines));
      await giveUpOld(machine, late);
      return {
        lines,
        complaint: complaints.find((complaint) => complaint !== undefined),
        done: async () => {
          const done = late.find(({ isNamed, rest }) => isNamed && rest.length === 0);
          if (done === undefined) return;
          await unlinkIfThere(machine, taken);
          done.isNamed = false;
        },
      };
    },
    get isUnfinished() {
      return late.some(({ rest }) => rest.length > 0);
    },
    isAboutToBeWritten: async () => {
      try {
        const { kind, size } = await files.stat(path);
        return kind === 'file' && size === 0;
      } catch {
        return false;
      }
    },
    close: async () => {
      for (const { file } of late.splice(0)) await closeQuietly(files, file);
    },
  };
}

async function openRegular({ files }: Machine, path: string): Promise<Descriptor | 'strange' | undefined> {
  let file: Descriptor;
  try {
    file = await files.open(path, 'read-job');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    if (hasErrno(error, 'ENXIO', 'EACCES', 'ELOOP')) return 'strange';
    throw error;
  }
  if ((await files.fstat(file)).kind === 'file') return file;
  await closeQuietly(files, file);
  return 'strange';
}

/** Adds the lines that have come in; one that is not ended yet is waited for. Returns a complaint. */
async function readOn(
  { files, clock }: Machine,
  path: string,
  one: Taken,
  lines: string[],
): Promise<string | undefined> {
  const buffer = new Uint8Array(64 * 1024);
  let grown = false;
  for (;;) {
    const count = await files.read(one.file, buffer, 0, buffer.length);
    if (count === 0) break;
    grown = true;
    one.bytes += count;
    if (one.bytes > LIMIT_BYTES) continue;
    one.rest = concatBytes([one.rest, buffer.slice(0, count)]);
  }
  if (grown) one.sinceMs = clock.monotonicMs();
  const isGivenUp = clock.monotonicMs() - one.sinceMs >= UNFINISHED_MS;
  const end = isGivenUp ? one.rest.length : one.rest.lastIndexOf(0x0a) + 1;
  lines.push(...decodeBytes(one.rest.subarray(0, end)).split('\n'));
  one.rest = one.rest.slice(end);
  return grown && one.bytes > LIMIT_BYTES
    ? `${path}: it was longer than 1 MiB; the rest was not read`
    : undefined;
}

async function giveUpOld({ files, clock }: Machine, late: Taken[]): Promise<void> {
  const isOld = ({ sinceMs }: Taken) => clock.monotonicMs() - sinceMs > LATE_MS;
  const unnamed = late.filter(({ isNamed }) => !isNamed);
  for (const one of unnamed.filter((one, index) => isOld(one) || index < unnamed.length - LATE_FILES)) {
    late.splice(late.indexOf(one), 1);
    await closeQuietly(files, one.file);
  }
}
