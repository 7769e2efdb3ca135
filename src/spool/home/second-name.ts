/**
 * Job files that have two names. The rename by which a worker claims a job, or puts it away, is one step; in a power cut
 * it is so on ext4 and xfs. btrfs keeps the new name once the directory that it leads to was synced, and the old one until
 * its own directory was:
 *
 *     W, before the cut          A                          B
 *     jobs/X -> work/W/X'
 *     syncs work/W
 *     (cut: jobs/X, work/W/X')
 *                                jobs/X -> work/A/X'
 *                                runs it, is done           W is dead: work/W/X' -> jobs/X'
 *                                                           runs it again
 *
 * So whoever has got hold of a file with several names, A by its claim or B when it brings back what W had, gives up the
 * name in its hands, if the queue has another one: the job is where that leads. Two at once would each give up theirs, and
 * the job be lost: they decide with the lock of the file, so the second of them finds one name only. Nobody runs a job of
 * which another is deciding, who would find one name only when it is done and removed. What has but one name costs nothing
 * here: a look at the file tells, and that is taken anyway.
 *
 * Names outside of the queue do not count. Whoever brings his jobs by link(2) has one for each, so for claims it is looked up
 * for all jobs at once which have two names in the queue: those are there since a power cut, and become no more.
 */

import { closeQuietly } from '../../os/close-quietly.ts';
import { isGone } from '../../os/if-there.ts';
import { type Descriptor, hasErrno, type Machine } from '../../os/ports.ts';
import { jobFiles } from './job-files.ts';
import { stemOf } from './job-name.ts';

/** So old may be what is known of a queue on a server, whose power may be cut while we live. */
const KNOWN_MS = 10_000;

/** Which jobs of a queue may have two names in it. */
export class SecondNames {
  readonly #machine: Machine;
  readonly #queue: string;
  #stems: ReadonlySet<string> = new Set();
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(machine: Machine, queue: string) {
    this.#machine = machine;
    this.#queue = queue;
  }

  async has(stem: string): Promise<boolean> {
    const nowMs = this.#machine.clock.monotonicMs();
    if (nowMs >= this.#untilMs) {
      this.#stems = await stemsOfTwo(this.#machine, this.#queue);
      this.#untilMs = nowMs + KNOWN_MS;
    }
    return this.#stems.has(stem);
  }
}

/** One that is moved meanwhile may be among them. */
async function stemsOfTwo(machine: Machine, queue: string): Promise<Set<string>> {
  const seen = new Map<string, string>();
  const twice = new Set<string>();
  for await (const path of jobFiles(machine, queue)) {
    const stem = stemOf(nameOf(path));
    const other = seen.get(stem);
    if (other === undefined) seen.set(stem, path);
    else if (other !== path) twice.add(stem);
  }
  return twice;
}

/** `given-up`: that name is gone now. `busy`: somebody is deciding about another one. */
export type SecondName = 'only-name' | 'given-up' | 'busy';

/** Removes this name of a job file if the queue has it under another one too. */
export async function giveUpSecondName(machine: Machine, queue: string, path: string): Promise<SecondName> {
  const { files, locks } = machine;
  const file = await openForLock(machine, path);
  if (file === undefined) return 'only-name';
  try {
    if (!(await locks.tryLock(file, 'exclusive'))) return 'busy';
    const { links = 1, inode } = await files.fstat(file);
    if (links < 2 || !(await hasOtherName(machine, queue, path, inode))) return 'only-name';
    await files.unlink(path);
    return 'given-up';
  } finally {
    await locks.unlock(file);
    await closeQuietly(files, file);
  }
}

/** Where a server keeps locks, those that exclude others need a file that is open for writing. */
async function openForLock({ files }: Machine, path: string): Promise<Descriptor | undefined> {
  try {
    return await files.open(path, 'lock-present');
  } catch (error) {
    if (isGone(error) || hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) return undefined;
    throw error;
  }
}

async function hasOtherName(machine: Machine, queue: string, path: string, inode: bigint): Promise<boolean> {
  const stem = stemOf(nameOf(path));
  for await (const other of jobFiles(machine, queue)) {
    if (other === path || stemOf(nameOf(other)) !== stem) continue;
    try {
      if ((await machine.files.stat(other)).inode === inode) return true;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return false;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
