/** What the doctor found, in sentences: what is wrong, with which file, and what to do. */

import type { Problem } from '../../doctor/queue.ts';

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
    'Have only one processor, started by hand or by one cron entry; or keep the queue where locks work.',
  'lock-hosts': 'Process the queue on one host only, and through one mount. Others may deliver to it.',
  'open-unlinked': 'Do not remove job files while a processor runs.',
  events:
    'Nothing is lost: workers look again at intervals. To have them start at once, raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, or keep the queue on a disk of this host.',
  'clock-skew':
    'Have the clocks of all hosts set by NTP; `--order-by Timestamp` and ages of files hang on them.',
  space: 'Make room: without it jobs cannot be added, and the queue cannot count on.',
};

/** A sentence without a full stop, and what to do. */
export function problemWords(problem: Problem): { readonly says: string; readonly remedy: string } {
  switch (problem.kind) {
    case 'number-unreadable':
      return {
        says: `${problem.path}: ${problem.reason}`,
        remedy: 'Write the right number into it: fspl queue-set-next -q DIR NUMBER.',
      };
    case 'number-missing':
      return {
        says: `${problem.path}: it is missing, so the queue would begin at 1 again`,
        remedy: 'Write the number of the next job into it: fspl queue-set-next -q DIR NUMBER.',
      };
    case 'lock-missing':
      return {
        says: `${problem.path}: it is missing, so the queue cannot be processed`,
        remedy: 'Make an empty file of that name, if nothing processes the queue.',
      };
    case 'lock-unusable':
      return {
        says: `${problem.path}: ${problem.reason}, so we could not process the queue`,
        remedy: 'Look as the user who processes the queue; else give us the right to write to it.',
      };
    case 'jobs-missing':
      return {
        says: `${problem.path}: there is no such directory, and nothing can be added or processed`,
        remedy: 'Put it back; if it is lost with its jobs, an empty one will do.',
      };
    case 'jobs-unreadable':
      return {
        says: `${problem.path}: ${problem.reason}`,
        remedy: 'Look as the user who processes the queue; else give us the right to read it.',
      };
    case 'job-unreadable':
      return {
        says: `${problem.path}: ${problem.reason}`,
        remedy:
          'Ask its sender to send it again; or, if it is encoded, look with fspl queue-ls -d DECODECMD.',
      };
    case 'duplicate':
      return {
        says: `job ${problem.seq} is there ${problem.paths.length} times: ${problem.paths.join(' and ')}`,
        remedy: 'Remove all but one; nothing runs before. Two senders must not share a number.',
      };
    case 'gap': {
      const behind = problem.waiting === 1 ? '1 later job waits' : `${problem.waiting} later jobs wait`;
      return {
        says: `job ${problem.missing} is missing; ${behind} behind it, the first is job ${problem.next}`,
        remedy: `Send it again, or step over it: fspl queue-set-next -q DIR ${problem.next}.`,
      };
    }
    case 'past':
      return {
        says: `${problem.path}: job ${problem.seq} is over, as the queue is at ${problem.next}; it is not run again`,
        remedy: 'Remove it when nobody needs it.',
      };
    case 'litter':
      return {
        says: `${problem.path}: left ${hours(problem.ageHours)} ago by a program that was killed; nobody looks at it`,
        remedy: 'Remove it.',
      };
    case 'elsewhere':
      return {
        says: `${problem.path}: it is on another file system than the queue, of which nothing was measured`,
        remedy: 'Examine that directory too.',
      };
    case 'busy':
      return {
        says: `${problem.path}: it kept changing while we looked, so gaps could not be told from jobs that were done`,
        remedy: 'Look again when the queue is at rest.',
      };
  }
}

const HOURS_PER_DAY = 24;

function hours(count: number): string {
  if (count >= 2 * HOURS_PER_DAY) return `${Math.floor(count / HOURS_PER_DAY)} days`;
  return count === 1 ? '1 hour' : `${count} hours`;
}
