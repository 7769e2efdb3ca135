/** The commands with which queues are made, filled and worked. */

import { type CommandSpec, command, flag, oneOf, optional, repeatable, text } from '../command.ts';
import { moment, span } from '../time.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { NOTICE_OPTIONS } from './notice-options.ts';
import { MORE_QUEUES, nonEmpty, priority, QUEUE, variable, wholeNumber } from './options.ts';

/** The usual ones, and what `workEnding` tells apart. */
const WORK_EXITS = Object.entries(EXIT_CODES)
  .filter(([ending]) => ending !== 'unsafe')
  .map(([, { status, meaning }]) => [String(status), meaning] as const);

export const WORKING: readonly CommandSpec[] = [
  command({
    name: 'init',
    summary: 'Make a queue, or give an old one what it lacks',
    options: {
      ordered: flag('Jobs run one after the other in the order of their numbers, as with Filespooler'),
      'any-order': flag('Jobs run in any order, side by side; of a new queue the default'),
      layout: optional(
        undefined,
        'NAME',
        'What sort of directory: filespooler, dirqueue or fsq; `intray layouts` tells them apart [default: filespooler]',
        oneOf(['filespooler', 'dirqueue', 'fsq']),
      ),
      replicas: optional(
        undefined,
        'N',
        'Of a queue on NATS: so many servers keep it [default: 3 where there are 3, else 1]',
        wholeNumber(1, 5),
      ),
      json: flag('Say in JSON what was done'),
    },
    operand: QUEUE,
    examples: [
      'intray init ~/queue',
      'intray init ~/replication --ordered',
      'intray init ~/thumbnails --layout fsq',
      'intray init nats://a.example,b.example/queue --replicas 3',
    ],
    load: async () => (await import('./init.ts')).init,
  }),
  command({
    name: 'add',
    summary: 'Add a job: its payload is what is piped in',
    options: {
      input: optional(
        'i',
        'FILE',
        'Take the payload from this file; "-" for standard input [default: -]',
        text,
      ),
      'no-payload': flag('Send no payload, and leave standard input alone, as in a loop that reads it'),
      'each-line': flag(
        'Add a job for each line of the input, which is its payload; empty lines are left out',
      ),
      lane: optional(
        'l',
        'LANE',
        'Jobs of one lane run one after the other, in the order in which they were added',
        nonEmpty,
      ),
      priority: optional(
        'p',
        'N',
        '0 to 99, 0 first [default: 50]; within a lane it counts for nothing',
        priority,
      ),
      delay: optional('d', 'SPAN', 'Do not start it before this time has passed: 30s, 10m, 2h, 1d', span),
      at: optional(
        undefined,
        'TIME',
        'Do not start it before: 18:30, "2026-12-24 18:30", or RFC 3339',
        moment,
      ),
      expires: optional(
        undefined,
        'TIME',
        'Do not start it after; a span such as 2h counts from now',
        moment,
      ),
      name: optional(
        'n',
        'NAME',
        'Add it once: a second job of this name is not added, also when the first is done',
        nonEmpty,
      ),
      env: repeatable(
        'e',
        'NAME=VALUE',
        'Send a variable along, which the command sees as FSPL_SET_NAME',
        variable,
      ),
      json: flag('Print a line of JSON for each job in place of its id'),
    },
    operand: QUEUE,
    rest: {
      name: 'PARAMS',
      help: 'Arguments to send along, for a worker with --allow-job-params; FSPL_SET_* variables go along too',
    },
    hint: 'a file is sent with `--input`, arguments for the command go after `--`',
    examples: [
      'echo hello | intray add ~/queue',
      'intray add ~/queue --input photo.jpg --lane alice -- --level 9',
      'find . -name "*.png" | intray add ~/queue --each-line',
      'intray add ~/queue --no-payload --at 03:00 --name backup-2026-11-21',
    ],
    load: async () => (await import('./add.ts')).add,
  }),
  command({
    name: 'work',
    summary: 'Run a command for each job, many at once',
    options: {
      jobs: optional('j', 'N', 'How many jobs at once [default: 1]', wholeNumber(1, 10_000)),
      retries: optional(
        'r',
        'N',
        'Run a job that fails again, up to so many times [default: 0]',
        wholeNumber(0),
      ),
      backoff: optional(
        undefined,
        'SPAN',
        'Wait so long before the first retry, then twice as long each time [default: 10s]',
        span,
      ),
      timeout: optional(
        't',
        'SPAN',
        'Kill a command that runs longer, and all it started; its job has failed',
        span,
      ),
      watch: { ...flag('Do not end: wait for jobs, and for queues in directories of queues'), short: 'w' },
      'max-jobs': optional('n', 'N', 'End after so many starts', wholeNumber(1)),
      keep: flag('Keep jobs that are done, in done/ of the queue, and what their commands said in log/'),
      output: optional(
        'o',
        'WHERE',
        'What commands say goes to the log of the queue, kept when they fail, or to our own output: log or inherit [default: log]',
        oneOf(['log', 'inherit']),
      ),
      'exit-codes': optional(
        undefined,
        'KIND',
        'plain: all failures are the same; qmail: 100 is final, 111 is tried again always [default: plain]',
        oneOf(['plain', 'qmail']),
      ),
      blocked: optional(
        undefined,
        'ACTION',
        'A lane whose next job failed or is missing: hold it, skip the job, or drop it [default: hold]',
        oneOf(['hold', 'skip', 'drop']),
      ),
      'blocked-after': optional(
        undefined,
        'SPAN',
        'Skip or drop only after so long [default: a failed job at once, a missing one never]',
        span,
      ),
      lease: optional(
        undefined,
        'SPAN',
        'When this machine is silent so long, others run its jobs [default: 60s]',
        span,
      ),
      grace: optional(
        undefined,
        'SPAN',
        'When told to stop, let running jobs go on so long [default: 10s]',
        span,
      ),
      decoder: optional(
        'd',
        'DECODECMD',
        'A shell command that unpacks each job file, such as zcat; run by $SHELL -c',
        text,
      ),
      'allow-job-params': flag('Add the arguments that came with a job to those of COMMAND'),
      ...NOTICE_OPTIONS,
      json: flag('Print a line of JSON for each event'),
    },
    operand: { ...QUEUE, help: 'The directory of a queue, or one that has queues in it' },
    more: MORE_QUEUES,
    rest: {
      name: 'COMMAND',
      help: 'The command to run, and its arguments; the payload is its standard input',
      atLeast: 1,
    },
    exits: WORK_EXITS,
    examples: [
      'intray work ~/queue -j 4 -- ./thumbnail.sh',
      'intray work ~/queue --output inherit -- cat',
      'intray work ~/queue --retries 3 --timeout 1h -- sh -c \'gzip > "/archive/$FSPL_SEQ.gz"\'',
      'intray work ~/queues --watch -j 8 -- ./deliver',
      'intray work ~/backups --on-fail \'mail -s "$INTRAY_QUEUE: $INTRAY_REASON" root\' -- ./back-up',
    ],
    load: async () => (await import('./work.ts')).work,
  }),
  command({
    name: 'pause',
    summary: 'Start no more jobs; those that run go on',
    options: { json: flag('Say in JSON what was done') },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['intray pause ~/queue'],
    load: async () => (await import('./pause.ts')).pauseQueues,
  }),
  command({
    name: 'resume',
    summary: 'Let jobs start again',
    options: { json: flag('Say in JSON what was done') },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['intray resume ~/queue'],
    load: async () => (await import('./pause.ts')).resumeQueues,
  }),
  command({
    name: 'drain',
    summary: 'Pause, and wait until the jobs that run are over',
    options: {
      timeout: optional('t', 'SPAN', 'Wait no longer than this; the queue stays paused', span),
      json: flag('Say in JSON what was done'),
    },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['intray drain ~/queue && umount /backups; intray resume ~/queue'],
    load: async () => (await import('./pause.ts')).drainQueues,
  }),
];
