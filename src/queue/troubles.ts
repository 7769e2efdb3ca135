/** What is wrong with a queue, as sentences, the worst first. */

import { shellQuote } from '../os/shell.ts';
import type { QueueSnapshot } from './snapshot.ts';
import { counted, laneName, lower, skipCommand } from './words.ts';

export type Trouble = {
  readonly short: string;
  readonly sentence: string;
  /** What sort it is of; none for what will pass. */
  readonly ending?: 'damaged' | 'jobFailed' | 'gap';
};

/** More of one kind are counted. */
const MOST_OF_A_KIND = 5;

export function troublesOf(snapshot: QueueSnapshot): Trouble[] {
  const { queue, counts, unreadable, damage, lanes, workers, running } = snapshot;
  const dir = shellQuote(queue);
  const troubles: Trouble[] = [];
  const say = (short: string, sentence: string, ending?: Trouble['ending']) =>
    troubles.push({ short, sentence, ...(ending === undefined ? {} : { ending }) });
  for (const sentence of damage) say('damaged', sentence, 'damaged');
  for (const { path, message } of unreadable.slice(0, MOST_OF_A_KIND))
    say('unreadable', `${path}: ${message}`, 'damaged');
  if (unreadable.length > MOST_OF_A_KIND)
    say('unreadable', `${unreadable.length - MOST_OF_A_KIND} more files cannot be read as jobs`, 'damaged');
  if (counts.duplicate > 0) {
    say(
      'duplicates',
      `${counts.duplicate} of the jobs have the number of another job of their lane: see \`intray ls ${dir}\``,
      'damaged',
    );
  }
  if (counts.failed > 0)
    say('failed', `${counted(counts.failed, 'job')} failed: see \`intray ls ${dir} --failed\``, 'jobFailed');
  if (counts.lanesFailed > 0) {
    say(
      'held up',
      `${counts.lanesFailed === 1 ? '1 job has failed and holds' : `${counts.lanesFailed} jobs have failed and hold`} up what comes after: see \`intray ls ${dir} --failed\``,
      'jobFailed',
    );
  }
  const gaps = lanes.filter(({ missing }) => missing !== undefined);
  for (const { lane, missing, waiting } of gaps.slice(0, MOST_OF_A_KIND)) {
    say(
      'gap',
      `${lower(laneName(lane))} waits for job ${missing}, which is not there; ${counted(waiting, 'job')} wait${waiting === 1 ? 's' : ''} behind it: have it sent again, or \`${skipCommand(queue, lane)}\``,
      'gap',
    );
  }
  if (gaps.length > MOST_OF_A_KIND)
    say('gap', `${gaps.length - MOST_OF_A_KIND} more lanes wait for jobs that are not there`, 'gap');
  if (counts.past > 0)
    say(
      'past',
      `the number of ${counted(counts.past, 'job')} is past, so ${counts.past === 1 ? 'it does' : 'they do'} not start any more: see \`intray repair ${dir}\``,
    );
  for (const worker of workers
    .filter(({ life }) => life === 'dead' || life === 'silent')
    .slice(0, MOST_OF_A_KIND)) {
    const count = running.filter((job) => job.worker.name === worker.name).length;
    say(
      'dead worker',
      `worker ${worker.name} is ${worker.life}; ${count === 0 ? 'it had no job' : `${counted(count, 'job')} of it come${count === 1 ? 's' : ''} back with the next worker`}`,
    );
  }
  return troubles;
}
