/** The commands with which people see into a queue and put it in order. */

import { type CommandSpec, command, flag, optional, text } from '../command.ts';
import { span } from '../time.ts';
import { interval, nonEmpty, SEEN_QUEUES, wholeNumber } from './options.ts';

const DIR = { name: 'DIR', help: 'The queue', parse: text } as const;
const JOB = {
  name: 'JOB',
  help: 'The ID of the job or its beginning (4 characters at least), the name of its file, or #NUMBER',
  atLeast: 1,
} as const;
const ONE_JOB = { ...JOB, atMost: 1 } as const;
const json = flag('Print one JSON document, whose fields docs/reference.md describes');
export const decoder = optional(
  'd',
  'DECODECMD',
  'A shell command that unpacks each job file, such as zcat; run by $SHELL -c',
  text,
);

export const OPERATING: readonly CommandSpec[] = [
  command({
    name: 'status',
    summary: 'Say how queues are: what waits, runs and failed, who works them, what is wrong',
    options: {
      json,
      html: optional(undefined, 'FILE', 'Replace this file at once by a page that shows all of it', nonEmpty),
      decoder,
    },
    operand: {
      ...DIR,
      help: 'The queue, or a directory of queues [default: the current directory]',
      otherwise: '.',
    },
    more: { name: 'DIR', help: 'More of them: then each has one line', atLeast: 0 },
    examples: [
      'intray status ~/queue',
      'intray status /var/spool/queues',
      'intray status --json ~/queue | jq .queues[0].counts',
      'intray status --html /var/www/html/queues.html /var/spool/queues',
    ],
    load: async () => (await import('./status.ts')).status,
  }),
  command({
    name: 'top',
    summary: 'Watch queues live: what waits, runs and fails, why lanes stand, what jobs say',
    options: {
      once: flag('Print what there is to see once, and end; in a pipe always so'),
      interval: optional('n', 'SPAN', 'How often to look: 500ms, 5s, 1m [default: 2s]', interval),
      decoder,
    },
    ...SEEN_QUEUES,
    examples: [
      'intray top ~/queue',
      'intray top /var/spool/queues --interval 5s',
      'intray top --once ~/queue | mail -s "queue" root',
    ],
    load: async () => (await import('./top.ts')).top,
  }),
  command({
    name: 'ls',
    summary: 'List the jobs of a queue, in the order in which they would be started',
    options: {
      failed: flag('Only jobs that have failed'),
      done: flag('Only jobs that are done, where they are kept'),
      running: flag('Only jobs that are running'),
      all: { ...flag('All jobs, those that are over too'), short: 'a' },
      lane: optional('l', 'LANE', 'Only jobs of this lane', text),
      json,
      decoder,
    },
    operand: DIR,
    examples: ['intray ls ~/queue', 'intray ls ~/queue --failed', 'intray ls ~/queue --lane alice --json'],
    load: async () => (await import('./ls.ts')).ls,
  }),
  command({
    name: 'explain',
    summary: 'Say why a job is not running now, and what to do about it',
    options: { json, decoder },
    operand: DIR,
    more: ONE_JOB,
    examples: ['intray explain ~/queue 0c2b1f6e', "intray explain ~/queue '#17'"],
    load: async () => (await import('./explain.ts')).explain,
  }),
  command({
    name: 'show',
    summary: 'Show all about one job: what it brings, where it stands, its runs',
    options: { json, decoder },
    operand: DIR,
    more: ONE_JOB,
    examples: ['intray show ~/queue 0c2b1f6e', 'intray show --json ~/queue 0c2b1f6e | jq .runs'],
    load: async () => (await import('./show.ts')).show,
  }),
  command({
    name: 'cat',
    summary: 'Write the payload of a job to standard output',
    options: { decoder },
    operand: DIR,
    more: ONE_JOB,
    examples: ['intray cat ~/queue 0c2b1f6e | tar -tf -'],
    load: async () => (await import('./cat.ts')).cat,
  }),
  command({
    name: 'log',
    summary: 'Print the runs of a job and what each has said',
    options: { json, decoder },
    operand: DIR,
    more: ONE_JOB,
    examples: ['intray log ~/queue 0c2b1f6e'],
    load: async () => (await import('./log.ts')).log,
  }),
  command({
    name: 'retry',
    summary: 'Run jobs again that have failed; or now, that would wait for their time or are held',
    options: {
      'all-failed': flag('All that have failed, the oldest first'),
      limit: optional(undefined, 'NUMBER', 'With --all-failed: so many at most', wholeNumber(0)),
      decoder,
    },
    operand: DIR,
    more: { ...JOB, atLeast: 0 },
    examples: ['intray retry ~/queue 0c2b1f6e', 'intray retry ~/queue --all-failed --limit 10'],
    load: async () => (await import('./retry.ts')).retry,
  }),
  command({
    name: 'rm',
    summary: 'Remove jobs, and what their runs have said; the lane of one goes on without it',
    options: { 'all-failed': flag('All that have failed'), decoder },
    operand: DIR,
    more: { ...JOB, atLeast: 0 },
    examples: ['intray rm ~/queue 0c2b1f6e', 'intray rm ~/queue --all-failed'],
    load: async () => (await import('./rm.ts')).rm,
  }),
  command({
    name: 'hold',
    summary: 'Keep jobs that wait from being started; those behind one in its lane wait with it',
    options: { decoder },
    operand: DIR,
    more: JOB,
    examples: ['intray hold ~/queue 0c2b1f6e'],
    load: async () => (await import('./hold.ts')).hold,
  }),
  command({
    name: 'release',
    summary: 'Let jobs start that were held',
    options: { decoder },
    operand: DIR,
    more: JOB,
    examples: ['intray release ~/queue 0c2b1f6e'],
    load: async () => (await import('./hold.ts')).release,
  }),
  command({
    name: 'skip',
    summary: 'Let a lane go on past a number that is missing, or a job that is held or has failed',
    options: {
      lane: optional('l', 'LANE', 'That lane [default: the order of jobs without one]', text),
      decoder,
    },
    operand: DIR,
    examples: ['intray skip ~/queue', 'intray skip ~/queue --lane alice'],
    load: async () => (await import('./skip.ts')).skip,
  }),
  command({
    name: 'move',
    summary: 'Move jobs to another queue; the last word names it',
    options: { decoder },
    operand: DIR,
    more: {
      name: 'JOB... TARGET',
      help: 'The jobs, as with `rm`, and then the directory of the other queue',
      atLeast: 1,
    },
    examples: ['intray move ~/queue 0c2b1f6e 9f1e44d0 ~/slow-queue'],
    load: async () => (await import('./move.ts')).move,
  }),
  command({
    name: 'gc',
    summary: 'Remove what is over and old: done jobs, logs of jobs that are gone, names that were used',
    options: {
      'keep-done': optional(
        undefined,
        'NUMBER',
        'Of the done jobs, keep so many of the newest [default: 100]',
        wholeNumber(0),
      ),
      'older-than': optional(
        undefined,
        'SPAN',
        'Keep logs and names that are not as old as this: 12h, 30d [default: 30d]',
        span,
      ),
      'dry-run': { ...flag('Only say what would be removed'), short: 'n' },
      json,
    },
    operand: DIR,
    examples: ['intray gc ~/queue --dry-run', 'intray gc ~/queue --keep-done 0 --older-than 7d'],
    load: async () => (await import('./gc.ts')).gc,
  }),
  command({
    name: 'repair',
    summary: 'Say what is not as it should be in a queue, and with --apply put it right; no job is deleted',
    options: { apply: flag('Do it; without, nothing is changed'), json, decoder },
    operand: DIR,
    examples: ['intray repair ~/queue', 'intray repair ~/queue --apply'],
    load: async () => (await import('./repair.ts')).repair,
  }),
];
