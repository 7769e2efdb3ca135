/** The commands that show queues to people and programs on other machines. */

import type { HttpAddress } from '../../os/ports.ts';
import { type CommandSpec, command, flag, optional, type Parse, repeatable } from '../command.ts';
import { readAddress } from '../http-address.ts';
import { decoder } from './operating-commands.ts';
import { nonEmpty, SEEN_QUEUES, wholeNumber } from './options.ts';

const address: Parse<HttpAddress> = (value) => {
  const found = readAddress(value);
  return found === undefined
    ? { expected: 'HOST:PORT, such as 127.0.0.1:8177, or unix:/SOCKET' }
    : { value: found };
};

export const WEB: readonly CommandSpec[] = [
  command({
    name: 'serve',
    summary: 'Show queues in a browser, live; without --actions nothing can be changed there: docs/web.md',
    options: {
      listen: optional(
        undefined,
        'HOST:PORT',
        'Where to be reached, or unix:/SOCKET [default: 127.0.0.1:8177]',
        address,
      ),
      'token-file': optional(
        undefined,
        'FILE',
        'Its first line is the password, which an address that others can reach must have',
        nonEmpty,
      ),
      host: repeatable(undefined, 'NAME', 'A name by which browsers reach us, behind a proxy', nonEmpty),
      actions: flag(
        'Let those who reach it run jobs again, hold, release, delete and add them, pause and resume',
      ),
      audit: optional(
        undefined,
        'FILE',
        'With --actions: add a line for each action to this file [default: standard error]',
        nonEmpty,
      ),
      'max-upload': optional(
        undefined,
        'BYTES',
        'With --actions: the longest payload that may be uploaded [default: 104857600]',
        wholeNumber(0),
      ),
      decoder,
    },
    ...SEEN_QUEUES,
    examples: [
      'intray serve /var/spool/queues',
      'intray serve ~/queue --listen 0.0.0.0:8177 --token-file ~/.config/intray-token',
      'intray serve ~/queue --actions --audit ~/queue-actions.jsonl',
      'ssh -L 8177:localhost:8177 server intray serve /var/spool/queues',
    ],
    load: async () => (await import('./serve.ts')).serve,
  }),
  command({
    name: 'metrics',
    summary: 'Print queues in numbers, as Prometheus reads them: docs/web.md',
    options: {
      output: optional(
        'o',
        'FILE',
        "Replace this file in one step, as node_exporter's textfile collector needs it",
        nonEmpty,
      ),
      runs: optional(
        undefined,
        'NUMBER',
        'Read the records of the runs of so many jobs of each queue at most [default: 1000]',
        wholeNumber(0),
      ),
      probe: flag('Try how long syncs take, with a file of 4 KiB in the directory of each queue'),
      decoder,
    },
    ...SEEN_QUEUES,
    examples: [
      'intray metrics ~/queue',
      'intray metrics /var/spool/queues -o /var/lib/prometheus/node-exporter/intray.prom',
    ],
    load: async () => (await import('./metrics.ts')).metrics,
  }),
];
