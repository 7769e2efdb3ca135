/** The subcommands of `fsq`: names and options are those of fsq 0.2.5, and some that queues need besides. */

import { count, exitStatus, mode as octal } from '../../fsq/constants.ts';
import { type CommandSpec, command, type Flag, oneOf, optional, repeatable, text } from '../command.ts';
import type { Context } from '../context.ts';
import type { FsqArguments, FsqContext } from './context.ts';

const on = (short: string, help: string): Flag => ({ kind: 'flag', short, help });

/** The code of a subcommand gets the constants too: main.ts, which runs it, has them. */
function withConstants<O>(run: (context: FsqContext, args: FsqArguments<O>) => Promise<number>) {
  return (context: Context, args: FsqArguments<O>) => run(context as FsqContext, args);
}

const verbose = on('v', 'Say on standard error what is done');
const user = optional('u', 'USER', 'Whom new files belong to [default: FSQ_ITEM_USER]', text);
const group = optional('g', 'GROUP', 'Which group they belong to [default: FSQ_ITEM_GROUP]', text);
const itemMode = optional('m', 'MODE', 'Their mode, in octal [default: FSQ_ITEM_MODE]', octal);

const tokenFile = optional(
  undefined,
  'FILE',
  'A file whose first line is what both sides know, and nobody else',
  text,
);

const QUEUE = { name: 'QUEUE', help: 'The name of a queue in FSQ_ROOT', parse: text };
const MORE_QUEUES = { name: 'QUEUE', help: 'More queues', atLeast: 0 } as const;
const HOST = { name: 'HOST', help: 'The name of a host', parse: text };
const QUEUES_OF_HOST = { name: 'QUEUE', help: 'The queues it is meant in', atLeast: 1 } as const;
const ITEMS = { name: 'ITEM', help: 'Names of items in it', atLeast: 1 } as const;

const scanning = {
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

export const COMMANDS: readonly CommandSpec[] = [
  command({
    name: 'install',
    summary: 'Make queues',
    optionsFirst: true,
    options: {
      verbose,
      force: on('f', 'Replace a queue that is there, with all its items'),
      'is-down': on('d', 'Make them down: nothing is scanned until `fsq up`'),
      'is-triggered': on('t', 'Make a trigger too, a FIFO that tells of new items'),
      'ignore-exists': on('i', 'Leave a queue that is there as it is'),
      owner: optional('o', 'USER', 'Whom they belong to [default: FSQ_QUEUE_USER]', text),
      group: optional('g', 'GROUP', 'Which group they belong to [default: FSQ_QUEUE_GROUP]', text),
      mode: optional('m', 'MODE', 'Mode of the directories, in octal [default: FSQ_QUEUE_MODE]', octal),
      'add-host': repeatable('a', 'HOST', 'Make a part for this host too; may be there more than once', text),
    },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['fsq install mail', 'fsq -r ./queues install -t -a east -a west replicated'],
    load: async () => withConstants((await import('./install.ts')).installQueues),
  }),
  command({
    name: 'enqueue',
    summary: 'Add an item',
    optionsFirst: true,
    options: {
      verbose,
      user,
      group,
      mode: itemMode,
      file: optional('f', 'FILE', 'What the item holds [default: standard input]', text),
      empty: on('e', 'The item holds nothing, and standard input is not read'),
      trigger: on('t', 'Pull the trigger then [default: FSQ_USE_TRIGGER]'),
    },
    operand: QUEUE,
    more: { name: 'ARG', help: 'Arguments of the item, for the program that runs it', atLeast: 0 },
    examples: ['echo "Hello" | fsq enqueue mail alice@example.com', 'fsq enqueue -f report.pdf print duplex'],
    load: async () => withConstants((await import('./enqueue.ts')).enqueueItem),
  }),
  command({
    name: 'scan',
    summary: 'Run a program for each item',
    optionsFirst: true,
    options: {
      ...scanning,
      env: on('e', 'Give the program FSQ_ITEM_* variables: the default'),
      'no-env': on('E', 'Give it none'),
      'no-open': on('n', 'Lock no item, and give the program no content on standard input'),
      'empty-ok': on('k', 'Taken for the sake of the original: that nothing waits is no failure'),
      'success-code': optional(
        'S',
        'CODE',
        'Exit status of work that is done [default: FSQ_SUCCESS]',
        exitStatus,
      ),
      'fail-tmp-code': optional('T', 'CODE', 'Of work to be tried again [default: FSQ_FAIL_TMP]', exitStatus),
      'fail-perm-code': optional(
        'F',
        'CODE',
        'Of work that has failed for good; so is every other',
        exitStatus,
      ),
      'all-hosts': on('a', 'Scan the parts of all hosts'),
      host: repeatable('A', 'HOST', 'Scan the part of this host; may be there more than once', text),
      'max-rate': optional('r', 'RATE', 'Start no more items a second', count),
      forever: { kind: 'flag', help: 'Scan again when the trigger is pulled, until told to stop' },
    },
    operand: QUEUE,
    more: {
      name: 'PROGRAM',
      help: 'What to run, with its own arguments before those of the item',
      atLeast: 1,
    },
    exits: [
      ['0', 'all that could be run was run, whatever became of it'],
      ['100', 'the command line or a setting makes no sense'],
      ['111', 'a program was killed by a signal, or the queue cannot be scanned'],
    ],
    examples: [
      'fsq scan mail ./deliver --to',
      'fsq scan -m 5 -t 86400 thumbnails sh -c \'convert - "$1"\' sh',
    ],
    load: async () => withConstants((await import('./scan.ts')).scanQueue),
  }),
  command({
    name: 'ls',
    summary: 'List the items of a queue, oldest first',
    optionsFirst: true,
    options: {
      done: { kind: 'flag', help: 'Those that are done' },
      failed: { kind: 'flag', help: 'Those that have failed, with the reason' },
      host: optional('A', 'HOST', 'Of the part of this host', text),
      json: { kind: 'flag', help: 'As JSON, one object a line' },
    },
    operand: QUEUE,
    examples: ['fsq ls mail', 'fsq ls --failed --json mail'],
    load: async () => withConstants((await import('./ls.ts')).listQueue),
  }),
  ...(['done', 'fail', 'retry'] as const).map((name) =>
    command({
      name,
      summary: {
        done: 'Say that items are done',
        fail: 'Say that items have failed for good',
        retry: 'Let items that have failed, or are done, wait again',
      }[name],
      optionsFirst: true,
      options: { verbose, host: optional('A', 'HOST', 'In the part of this host', text) },
      operand: QUEUE,
      more: ITEMS,
      examples: [`fsq ${name} mail _20131005205643_0_25577_mss_0_alice`],
      load: async () => withConstants((await import('./settle.ts'))[`${name}Items`]),
    }),
  ),
  command({
    name: 'prune',
    summary: 'Remove items that are done, and what broken-off additions left',
    optionsFirst: true,
    options: {
      verbose,
      'older-than': optional('t', 'SECONDS', 'Only what is older [default: 604800, a week]', count),
      'keep-done': optional('k', 'COUNT', 'So many of the newest that are done stay [default: 0]', count),
      failed: { kind: 'flag', help: 'Remove items that have failed too' },
      'dry-run': on('n', 'Only print what would be removed'),
    },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['fsq prune mail', 'fsq prune -n --older-than 0 mail'],
    load: async () => withConstants((await import('./prune.ts')).pruneQueues),
  }),
  command({
    name: 'up',
    summary: 'Let queues be scanned',
    optionsFirst: true,
    options: { verbose },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['fsq up mail'],
    load: async () => withConstants((await import('./down.ts')).up),
  }),
  command({
    name: 'down',
    summary: 'Stop the scanning of queues, after the item that runs',
    optionsFirst: true,
    options: { verbose, user, group, mode: itemMode },
    operand: QUEUE,
    more: MORE_QUEUES,
    examples: ['fsq down mail'],
    load: async () => withConstants((await import('./down.ts')).down),
  }),
  command({
    name: 'add-host',
    summary: 'Make the part of a host in queues',
    optionsFirst: true,
    options: {
      verbose,
      force: on('f', 'Replace one that is there, with all its items'),
      'is-down': on('d', 'Make it down'),
      'ignore-exists': on('i', 'Leave one that is there as it is'),
    },
    operand: HOST,
    more: QUEUES_OF_HOST,
    examples: ['fsq add-host east replicated'],
    load: async () => withConstants((await import('./hosts.ts')).addHost),
  }),
  command({
    name: 'rm-host',
    summary: 'Remove the part of a host from queues',
    optionsFirst: true,
    options: { verbose, force: on('f', 'Also when items wait in it') },
    operand: HOST,
    more: QUEUES_OF_HOST,
    examples: ['fsq rm-host east replicated'],
    load: async () => withConstants((await import('./hosts.ts')).removeHost),
  }),
  command({
    name: 'up-host',
    summary: 'Let the part of a host be scanned',
    optionsFirst: true,
    options: { verbose },
    operand: HOST,
    more: QUEUES_OF_HOST,
    examples: ['fsq up-host east replicated'],
    load: async () => withConstants((await import('./down.ts')).upHost),
  }),
  command({
    name: 'down-host',
    summary: 'Stop the scanning of the part of a host',
    optionsFirst: true,
    options: { verbose, user, group, mode: itemMode },
    operand: HOST,
    more: QUEUES_OF_HOST,
    examples: ['fsq down-host east replicated'],
    load: async () => withConstants((await import('./down.ts')).downHost),
  }),
  command({
    name: 'host-dist',
    summary: 'Put each item of a queue into the parts of its hosts',
    optionsFirst: true,
    options: {
      ...scanning,
      link: on('I', 'By hard link: nothing is copied, but all share one lock'),
      trigger: on('g', 'Pull the trigger of the hosts then'),
    },
    operand: QUEUE,
    more: { name: 'HOST', help: 'These hosts [default: all]', atLeast: 0 },
    examples: ['fsq host-dist replicated', 'fsq host-dist -I replicated east west'],
    load: async () => withConstants((await import('./host-dist.ts')).distribute),
  }),
  command({
    name: 'push',
    summary: 'Send items of the part of a host to that host',
    optionsFirst: true,
    options: {
      verbose,
      protocol: optional('p', 'PROTOCOL', 'How: jsonrpc, the only way', oneOf(['jsonrpc'])),
      'no-lock': on('L', 'Lock no item, and leave it where it is: for a program that `fsq scan` runs'),
      'ignore-down': on('i', 'Send although the queue is down, here or there'),
      trigger: on('t', 'Pull the trigger there then'),
      'token-file': tokenFile,
      timeout: optional(
        undefined,
        'SECONDS',
        'Give up when nothing comes or goes so long [default: 60]',
        count,
      ),
    },
    operand: { name: 'REMOTE-URL', help: 'http://HOST:PORT/, https://... or unix:/SOCKET', parse: text },
    more: {
      name: 'SRC_QUEUE TRG_QUEUE HOST ITEM',
      help: 'From which queue, to which, of which host, which items',
      atLeast: 1,
    },
    examples: [
      'fsq push http://127.0.0.1:8080/ replicated replicated east _20131005205643_0_25577_mss_0_x',
      `fsq scan -A east replicated sh -c 'fsq push -L URL replicated replicated east "$FSQ_ITEM_ID"'`,
    ],
    load: async () => withConstants((await import('./push.ts')).pushItems),
  }),
  command({
    name: 'jsonrpcd',
    summary: 'Take items that others push',
    optionsFirst: true,
    options: {
      verbose,
      workers: optional('w', 'COUNT', 'Serve so many connections at once [default: 16]', count),
      'token-file': tokenFile,
      'max-bytes': optional(undefined, 'BYTES', 'Take no longer item [default: 1 GiB]', count),
      timeout: optional(undefined, 'SECONDS', 'Give a request so long to arrive [default: 600]', count),
      'allow-anyone': {
        kind: 'flag',
        help: 'Serve without a token where others than this machine can reach us',
      },
    },
    operand: {
      name: 'HOST',
      help: 'An address of this machine, such as 127.0.0.1; or unix:/SOCKET',
      parse: text,
    },
    more: { name: 'PORT', help: 'The port; 0 for any that is free', atLeast: 0, atMost: 1 },
    examples: ['fsq jsonrpcd 127.0.0.1 8080', 'fsq jsonrpcd --token-file /etc/fsq.token 0.0.0.0 8080'],
    load: async () => withConstants((await import('./jsonrpcd.ts')).serveJsonRpc),
  }),
];
