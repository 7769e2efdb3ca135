/**
 * What is wrong with a Filespooler queue, found by looking: nothing is locked, nothing is changed, so that whoever works
 * the queue meanwhile does not notice. He does not hold still either:
 *
 *     we                          worker
 *     --                          ------
 *     read nextseq: 5
 *                                 job 5 is done: nextseq becomes 6, its file goes
 *     list the jobs: 6
 *     "job 5 is missing"
 *
 * So the number is read before and after the listing, and both again when it has changed; and a file whose number is
 * past is looked at once more, as a worker writes the number first and removes the file then.
 */

import { hasErrno, type Machine } from '../os/ports.ts';
import type { Sequence } from '../packet/header.ts';
import { isQueueError, reasonOf } from '../queue/errors.ts';
import { isJobName, jobsDirectory, join, nextSequencePath } from '../spool/layout.ts';
import { bySequence, type JobFile, requireQueue, type Scan, scanQueue } from '../spool/queue-files.ts';
import { peekSequence } from '../spool/sequence-file.ts';
import { exists, isBenchName, using } from './bench.ts';

/** `damage`: jobs are lost or stopped by it. `gap`: the queue waits. `note`: it is untidy, and all goes on. */
export type Severity = 'damage' | 'gap' | 'note';

export type Problem =
  | { readonly kind: 'number-unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'number-missing'; readonly path: string }
  | { readonly kind: 'lock-missing'; readonly path: string }
  | { readonly kind: 'lock-unusable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'jobs-missing'; readonly path: string }
  | { readonly kind: 'jobs-unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'job-unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'duplicate'; readonly seq: Sequence; readonly paths: readonly string[] }
  | { readonly kind: 'gap'; readonly missing: Sequence; readonly next: Sequence; readonly waiting: number }
  | { readonly kind: 'past'; readonly path: string; readonly seq: Sequence; readonly next: Sequence }
  | { readonly kind: 'litter'; readonly path: string; readonly ageHours: number }
  | { readonly kind: 'elsewhere'; readonly path: string }
  | { readonly kind: 'busy'; readonly path: string };

export const SEVERITY: Readonly<Record<Problem['kind'], Severity>> = {
  'number-unreadable': 'damage',
  'number-missing': 'damage',
  'lock-missing': 'damage',
  'lock-unusable': 'damage',
  'jobs-missing': 'damage',
  'jobs-unreadable': 'damage',
  'job-unreadable': 'damage',
  duplicate: 'damage',
  gap: 'gap',
  past: 'note',
  litter: 'note',
  elsewhere: 'note',
  busy: 'note',
};

export type QueueReport = {
  /** Without a number and a lock: jobs are added to it and processed elsewhere. */
  readonly appendOnly: boolean;
  /** The number of the job to be run next, where it could be read. */
  readonly next: Sequence | undefined;
  readonly waiting: number;
  readonly problems: readonly Problem[];
};

/** How often we look again at a queue that is being worked. */
const LOOKS = 5;
/** Who writes a file of this age still, would have written to it lately. */
const LITTER_AGE_MS = 3_600_000;

/** Undefined when there is no queue. `nowMs`: the time by the clock that gives files theirs. */
export async function examineQueue(
  machine: Machine,
  queue: string,
  nowMs: number,
): Promise<QueueReport | undefined> {
  try {
    await requireQueue(machine, queue);
  } catch (error) {
    if (!isQueueError(error, 'not-a-queue')) throw error;
    if (!(await hasSequence(machine, queue))) return undefined;
    const problems: Problem[] = [{ kind: 'jobs-missing', path: jobsDirectory(queue) }];
    return { appendOnly: false, next: undefined, waiting: 0, problems };
  }
  const appendOnly = !(await hasSequence(machine, queue));
  const problems: Problem[] = appendOnly ? [] : await lockProblems(machine, queue);
  const look = await lookAt(machine, queue, appendOnly, problems);
  const jobs = look.scan.jobs.sort(bySequence);
  for (const { path, message } of look.scan.unreadable) {
    problems.push({ kind: 'job-unreadable', path, reason: message });
  }
  problems.push(...duplicates(jobs));
  if (look.next !== undefined) {
    const { next } = look;
    problems.push(...gapBefore(jobs, next));
    for (const { path, header } of jobs.filter(({ header: { seq } }) => seq < next)) {
      if (await exists(machine.files, path)) problems.push({ kind: 'past', path, seq: header.seq, next });
    }
  }
  problems.push(...(await litter(machine, queue, nowMs)), ...(await elsewhere(machine, queue)));
  const { next } = look;
  const waiting = jobs.filter(({ header: { seq } }) => next === undefined || seq >= next).length;
  return { appendOnly, next, waiting, problems };
}

async function hasSequence({ files }: Machine, queue: string): Promise<boolean> {
  const path = nextSequencePath(queue);
  return (await exists(files, path)) || exists(files, `${path}.lock`);
}

async function lockProblems({ files }: Machine, queue: string): Promise<Problem[]> {
  const path = `${nextSequencePath(queue)}.lock`;
  try {
    await using(files, await files.open(path, 'lock-present'), async () => {});
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [{ kind: 'lock-missing', path }];
    return [{ kind: 'lock-unusable', path, reason: reasonOf(error) }];
  }
  return [];
}

type Look = { readonly next: Sequence | undefined; readonly scan: Scan };

/** The number and the jobs that go with it. What hinders us is added to `problems`. */
async function lookAt(
  machine: Machine,
  queue: string,
  appendOnly: boolean,
  problems: Problem[],
): Promise<Look> {
  const path = nextSequencePath(queue);
  let scan: Scan = { jobs: [], unreadable: [] };
  try {
    for (let look = 1; look <= LOOKS; look++) {
      const before = appendOnly ? undefined : await numberIn(machine, path);
      scan = await scanQueue(machine, queue);
      if (appendOnly || before === undefined) return { next: undefined, scan };
      if (typeof before !== 'bigint') {
        problems.push(before);
        return { next: undefined, scan };
      }
      if (before === (await numberIn(machine, path))) return { next: before, scan };
    }
    problems.push({ kind: 'busy', path });
  } catch (error) {
    problems.push({ kind: 'jobs-unreadable', path: jobsDirectory(queue), reason: reasonOf(error) });
  }
  return { next: undefined, scan };
}

async function numberIn(machine: Machine, path: string): Promise<Sequence | Problem> {
  try {
    return (await peekSequence(machine, path)) ?? { kind: 'number-missing', path };
  } catch (error) {
    // The sentence names the file already.
    const reason = isQueueError(error) ? error.message.replace(`${path}: `, '') : reasonOf(error);
    return { kind: 'number-unreadable', path, reason };
  }
}

function duplicates(jobs: readonly JobFile[]): Problem[] {
  const byNumber = new Map<Sequence, string[]>();
  for (const { header, path } of jobs) {
    const paths = byNumber.get(header.seq);
    if (paths === undefined) byNumber.set(header.seq, [path]);
    else paths.push(path);
  }
  return [...byNumber]
    .filter(([, paths]) => paths.length > 1)
    .map(([seq, paths]) => ({ kind: 'duplicate', seq, paths }));
}

/** `jobs` by number. */
function gapBefore(jobs: readonly JobFile[], next: Sequence): Problem[] {
  const waiting = jobs.filter(({ header }) => header.seq >= next);
  const first = waiting[0]?.header.seq;
  if (first === undefined || first === next) return [];
  return [{ kind: 'gap', missing: next, next: first, waiting: waiting.length }];
}

/** What a killed sender, processor or doctor has left, and nobody will take away. */
async function litter(machine: Machine, queue: string, nowMs: number): Promise<Problem[]> {
  const { files } = machine;
  const found: Problem[] = [];
  const places: [directory: string, isLitter: (name: string) => boolean][] = [
    [queue, (name) => name === 'nextseq.temp' || isBenchName(name)],
    [jobsDirectory(queue), isTemporaryName],
  ];
  for (const [directory, isLitter] of places) {
    try {
      for (const { name } of await files.readdir(directory)) {
        if (!isLitter(name)) continue;
        const path = join(directory, name);
        const ageMs = nowMs - (await files.stat(path)).modifiedMs;
        if (ageMs < LITTER_AGE_MS) continue;
        found.push({ kind: 'litter', path, ageHours: Math.floor(ageMs / LITTER_AGE_MS) });
      }
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'EACCES')) throw error; // gone by now; or told already as unreadable
    }
  }
  return found;
}

/** Names under which job files are written; see `temporaryName` of the layout. */
function isTemporaryName(name: string): boolean {
  return (
    name.startsWith('tmp-') && name.endsWith('.tmp') && isJobName(name.slice('tmp-'.length, -'.tmp'.length))
  );
}

/** What was measured in the queue says nothing of another file system that its jobs are on. */
async function elsewhere({ files }: Machine, queue: string): Promise<Problem[]> {
  const jobs = jobsDirectory(queue);
  const same = (await files.stat(jobs)).device === (await files.stat(queue)).device;
  return same ? [] : [{ kind: 'elsewhere', path: jobs }];
}
