/** What the doctor found, in sentences: what is wrong, with which file, and what to do. */

import type { WorkersClaim } from '../../doctor/promises.ts';
import type { Problem } from '../../doctor/queue.ts';
import { shellQuote } from '../../os/shell.ts';
import type { Finding } from '../../queue/keeper.ts';
import { printable } from '../printable.ts';
import { adviceOf, wordsOf } from './finding-words.ts';

/** What to do about a probe that failed or could not be tried, where there is something to do. */
export const REMEDIES: Readonly<Record<string, string>> = {
  'sync-file':
    'Keep the queue on a disk that confirms its writes: ext4, xfs or btrfs on a disk of this host.',
  'sync-directory':
    'Keep the queue on a file system that syncs directories, such as ext4, xfs or btrfs; here a power cut may take a job back.',
  keeps: 'If jobs must survive a power cut, keep the queue on a disk of this host, with ext4, xfs or btrfs.',
  'exclusive-create': 'Do not keep a queue here: two senders could write into one file.',
  rename: 'Do not keep a queue here: jobs could get lost or be seen half written.',
  'atomic-rename':
    'Do not process a queue here while others add to it; deliver to it in one go, and process it then.',
  lock: 'Deliver jobs here if you like, but process them elsewhere; or mount with locks (not nolock, not nobrl).',
  'lock-processes':
    'Have only one processor or worker, started by hand or by one cron entry; or keep the queue where locks work.',
  'lock-hosts':
    'Run jobs on one host only, and through one mount. Others may deliver to it. What several hosts with `intray work` would have to bear is said above.',
  volume:
    'Set the volume as docs/machines.md says, with `gluster volume set`, and mount it anew with those options, on each machine.',
  'open-unlinked': 'Do not remove job files while a processor runs.',
  events:
    'Nothing is lost: workers look again at intervals. To have them start at once, raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, or keep the queue on a disk of this host.',
  'clock-skew':
    'Have the clocks of all hosts set by NTP; `--order-by Timestamp` and ages of files hang on them.',
  space: 'Make room: without it jobs cannot be added, and the queue cannot count on.',
};

/** What it means for workers that something they need is not so, or cannot be known. */
export const WORKERS_MEANING: Readonly<Record<WorkersClaim, Readonly<Record<string, readonly string[]>>>> = {
  'one-host': {
    rename: [
      '`intray work` cannot run jobs here: it moves each into a directory of its own first. `fspl queue-process` can.',
    ],
    lock: [
      'Workers cannot see which of them live, and would run the jobs of each other.',
      'Start one only, with -j for many jobs at once.',
    ],
    'lock-processes': [
      'Workers cannot see which of them live, and would run the jobs of each other.',
      'Start one only, with -j for many jobs at once.',
    ],
    'open-unlinked': ['Do not remove the files of jobs that run.'],
  },
  'several-hosts': {
    rename: ['`intray work` cannot run jobs here, on any machine.'],
    lock: ['Work the queue on one machine only.'],
    'lock-hosts': [
      'Where locks end at the machine, others know a worker only by its file, which it touches four times in each lease (`--lease`, 60 s).',
      'One that is silent for longer counts as dead, and its jobs run elsewhere; a machine that sleeps or is cut off for so long may still be at them.',
      'Give the workers of such a machine a longer lease.',
      'Add to lanes and to ordered queues from one machine only: two could give out one number.',
      'Run jobs with `fspl` only while no machine runs `intray work`: they do not see each other.',
    ],
    volume: [
      'Where hosts remember what others have changed, a worker takes what is gone for what is there; where files have the time of each host, leases go wrong with its clock;',
      'where fewer than three have a copy, two machines can come to disagree for good.',
    ],
  },
  'at-once': {
    events: [
      'Workers that wait (`--watch`) find a new job when they look again: about every second, and seldomer in very large queues.',
    ],
  },
};

/** A sentence without a full stop, and what to do. */
export function problemWords(
  queue: string,
  problem: Problem,
): { readonly says: string; readonly remedy: string } {
  const { says, remedy } = words(queue, problem);
  return { says: printable(says), remedy: printable(remedy) };
}

function words(queue: string, problem: Problem): { readonly says: string; readonly remedy: string } {
  if ('message' in problem) {
    return { says: `${problem.path}: ${problem.message}`, remedy: findingRemedy(queue, problem) };
  }
  const dir = shellQuote(queue);
  switch (problem.kind) {
    case 'gap': {
      const { lane, missing, next, waiting } = problem;
      const where = lane === '' ? '' : ` in lane ${JSON.stringify(lane)}`;
      const behind = waiting === 1 ? '1 later job waits' : `${waiting} later jobs wait`;
      const option = lane === '' ? '' : ` --lane ${shellQuote(lane)}`;
      return {
        says: `job ${missing} is missing${where}; ${behind} behind it, the first is job ${next}`,
        remedy: `Have its sender send it again, or go on without it: intray skip ${dir}${option}`,
      };
    }
    case 'litter':
      return {
        says: `${problem.path}: left ${daysOf(problem.ageHours)} ago by a doctor that was killed`,
        remedy: `Remove it: rm -r ${shellQuote(problem.path)}`,
      };
    case 'elsewhere':
      return {
        says: `${problem.path}: it is on another file system than the queue, of which nothing was measured`,
        remedy: `Examine that directory too: intray doctor ${shellQuote(problem.path)}; intray work cannot run jobs from there.`,
      };
    case 'busy':
      return {
        says: `${problem.path}: the queue kept changing while we looked, so gaps could not be told from jobs that were done`,
        remedy: 'Look again when it is at rest.',
      };
  }
}

/** What `repair` does about it, or a person. */
function findingRemedy(queue: string, finding: Finding): string {
  const { remedy, kind } = finding;
  if (remedy === 'person') return capital(adviceOf(queue, finding));
  const repair = `intray repair ${shellQuote(queue)} --apply`;
  if (kind === 'dead-worker') return `The next worker gives its jobs back; or do it now: ${repair}`;
  if (kind === 'damaged') {
    return `Ask its sender to send it again. To ${wordsOf(finding)[0]}: ${repair}`;
  }
  return `To ${wordsOf(finding)[0]}: ${repair}`;
}

function capital(sentence: string): string {
  return `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
}

const HOURS_PER_DAY = 24;

/** Of a day at least: what is younger is not told. */
function daysOf(hours: number): string {
  const days = Math.floor(hours / HOURS_PER_DAY);
  return days === 1 ? '1 day' : `${days} days`;
}
