/** What the subcommands of `fsq` have in common on the command line. */

import { count, mode as octal } from '../../fsq/constants.ts';
import { type Flag, optional, text } from '../command.ts';
import type { Context } from '../context.ts';
import type { FsqArguments, FsqContext } from './context.ts';

export const on = (short: string, help: string): Flag => ({ kind: 'flag', short, help });

/** The code of a subcommand gets the constants too: main.ts, which runs it, has them. */
export function withConstants<O>(run: (context: FsqContext, args: FsqArguments<O>) => Promise<number>) {
  return (context: Context, args: FsqArguments<O>) => run(context as FsqContext, args);
}

export const verbose = on('v', 'Say on standard error what is done');
export const user = optional('u', 'USER', 'Whom new files belong to [default: FSQ_ITEM_USER]', text);
export const group = optional('g', 'GROUP', 'Which group they belong to [default: FSQ_ITEM_GROUP]', text);
export const itemMode = optional('m', 'MODE', 'Their mode, in octal [default: FSQ_ITEM_MODE]', octal);

export const tokenFile = optional(
  undefined,
  'FILE',
  'A file whose first line is what both sides know, and nobody else',
  text,
);

export const QUEUE = { name: 'QUEUE', help: 'The name of a queue in FSQ_ROOT', parse: text };
export const MORE_QUEUES = { name: 'QUEUE', help: 'More queues', atLeast: 0 } as const;
export const HOST = { name: 'HOST', help: 'The name of a host', parse: text };
export const QUEUES_OF_HOST = { name: 'QUEUE', help: 'The queues it is meant in', atLeast: 1 } as const;
export const ITEMS = { name: 'ITEM', help: 'Names of items in it', atLeast: 1 } as const;

export const scanning = {
  verbose,
  'ignore-down': on('i', 'Go on although the queue is down'),
  'no-done': on('D', 'Leave what is done where it is'),
  lock: on('l', 'Lock each item [default: FSQ_LOCK]'),
  'no-lock': on('L', 'Lock no item'),
  'ttl-seconds': optional('t', 'SECONDS', 'Fail items that are older; 0: none [default: FSQ_TTL]', count),
  'max-tries': optional(
    'm',
    'TRIES',
    'Fail items that were tried so often; 0: none [default: FSQ_MAX_TRIES]',
    count,
  ),
};
