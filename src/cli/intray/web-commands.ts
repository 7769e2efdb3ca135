/** The commands with which those see queues who do not sit before the machine. */

import { type CommandSpec, command, optional, text } from '../command.ts';
import { decoder } from './operating-commands.ts';
import { nonEmpty, wholeNumber } from './options.ts';

export const WEB: readonly CommandSpec[] = [
  command({
    name: 'metrics',
    summary: 'Print queues in numbers, as Prometheus reads them: docs/web.md',
    options: {
      output: optional(
        'o',
        'FILE',
        "Replace this file at once, as node_exporter's textfile collector wants it",
        nonEmpty,
      ),
      runs: optional(
        undefined,
        'NUMBER',
        'Read the records of the runs of so many jobs of each queue at most [default: 1000]',
        wholeNumber(0),
      ),
      decoder,
    },
    operand: {
      name: 'DIR',
      help: 'A queue, or a directory of queues [default: the current directory]',
      parse: text,
      otherwise: '.',
    },
    more: { name: 'DIR', help: 'More of them', atLeast: 0 },
    examples: [
      'intray metrics ~/queue',
      'intray metrics /var/spool/queues -o /var/lib/prometheus/node-exporter/intray.prom',
    ],
    load: async () => (await import('./metrics.ts')).metrics,
  }),
];
