/** The command that moves jobs from queue to queue. */

import { LEAVABLE } from '../../relay/carried.ts';
import { MOST_OFFERS } from '../../relay/wire/limits.ts';
import { type CommandSpec, command, flag, oneOf, optional, repeatable, text } from '../command.ts';
import { span } from '../time.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { nonEmpty, rate, wholeNumber } from './options.ts';

const EXITS = Object.entries(EXIT_CODES)
  .filter(([ending]) => ending !== 'unsafe')
  .map(
    ([ending, { status, meaning }]) =>
      [
        String(status),
        ending === 'jobFailed' ? 'a job was refused by the target, and failed' : meaning,
      ] as const,
  );

export const RELAYING: readonly CommandSpec[] = [
  command({
    name: 'relay',
    summary: 'Move the jobs of a queue to another one, here or over ssh',
    options: {
      watch: { ...flag('Do not end: wait for jobs, and for the target when it is away'), short: 'w' },
      once: flag('End when no job is left, or at the first trouble with the target; the default'),
      jobs: optional('j', 'N', 'How many jobs at once [default: 4]', wholeNumber(1, MOST_OFFERS)),
      'max-jobs': optional('n', 'N', 'End after so many', wholeNumber(1)),
      'max-waiting': optional(
        undefined,
        'N',
        'Bring no more while so many jobs wait at the target',
        wholeNumber(1),
      ),
      limit: optional(undefined, 'RATE', 'Send no more than so much: 500k, 1MiB/s', rate),
      lane: optional(
        'l',
        'LANE',
        'The lane of all jobs at the target: they keep their order there',
        nonEmpty,
      ),
      'leave-out': repeatable(
        undefined,
        'WHAT',
        `Leave this of the jobs behind, where the target has no place for it: ${LEAVABLE.join(', ')}`,
        oneOf(LEAVABLE),
      ),
      ssh: optional(undefined, 'WORDS', 'What runs ssh, such as "ssh -i KEY" [default: ssh]', nonEmpty),
      'remote-intray': optional(
        undefined,
        'COMMAND',
        'What intray is called there [default: intray]',
        nonEmpty,
      ),
      serve: flag(
        'Be the other side: take jobs into this queue from standard input, answer on standard output',
      ),
      give: flag('With --serve: give the jobs of this queue, instead of taking some'),
      parts: optional(
        undefined,
        'DIR',
        'Where large payloads are that have not come as a whole [default: relay-parts in the target; ~/.local/state/intray for one that is no directory]',
        text,
      ),
      lease: optional(
        undefined,
        'SPAN',
        'When this machine is silent so long, others get the jobs in its hands [default: 60s]',
        span,
      ),
      grace: optional(
        undefined,
        'SPAN',
        'When told to stop, let payloads that are on their way go on so long [default: 10s]',
        span,
      ),
      json: flag('Print a line of JSON for each event'),
    },
    operand: { name: 'SOURCE', help: 'A queue, or ssh://USER@HOST:PORT/PATH', parse: text },
    more: {
      name: 'TARGET',
      help: 'The other queue, also of another layout; not with --serve',
      atLeast: 0,
      atMost: 1,
    },
    exits: EXITS,
    examples: [
      'intray relay ~/outbox ssh://backup@example.org/var/spool/in --watch',
      'intray relay ~/incoming ~/archive --max-waiting 100',
      'intray relay ssh://field-station/~/readings ~/readings --limit 200k',
      'command="intray relay --serve /var/spool/in",restrict ssh-ed25519 AAAA...   # in authorized_keys',
    ],
    load: async () => (await import('./relay.ts')).relay,
  }),
];
