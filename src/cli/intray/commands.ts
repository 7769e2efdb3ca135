/** The commands of `intray` itself, in the order in which its help lists them. */

import { type CommandSpec, command, flag, optional, repeatable, text } from '../command.ts';
import { duration, moment } from '../time.ts';
import { nonEmpty, priority, QUEUE, variable } from './options.ts';

export const COMMANDS: readonly CommandSpec[] = [
  command({
    name: 'init',
    summary: 'Make a queue, or give an old one what it lacks',
    options: {
      ordered: flag('Jobs run one after the other in the order of their numbers, as with Filespooler'),
      'any-order': flag('Jobs run in any order, side by side; of a new queue the default'),
      json: flag('Say in JSON what was done'),
    },
    operand: QUEUE,
    examples: ['intray init ~/queue', 'intray init ~/replication --ordered'],
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
      delay: optional('d', 'SPAN', 'Do not start it before this time has passed: 30s, 10m, 2h, 1d', duration),
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
    examples: [
      'echo hello | intray add ~/queue',
      'intray add ~/queue --input photo.jpg --lane alice -- --level 9',
      'find . -name "*.png" | intray add ~/queue --each-line',
      'intray add ~/queue --no-payload --at 03:00 --name backup-2026-11-21',
    ],
    load: async () => (await import('./add.ts')).add,
  }),
];
