/** The `fsq` command: the options before the subcommand, the choice of the subcommand, errors and exit status. */

import { type ConstantName, type Constants, constantsFrom, DEFAULTS } from '../../fsq/constants.ts';
import type { Machine } from '../../os/ports.ts';
import { isQueueError } from '../../queue/errors.ts';
import { type CommandSpec, type Options, optional, text } from '../command.ts';
import { newContext } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { commandHelp, type Program, programHelp, usageLine } from '../help.ts';
import { parseCommand } from '../parse.ts';
import { didYouMean } from '../suggest.ts';
import { VERSION } from '../version.ts';
import { COMMANDS } from './commands.ts';
import type { FsqContext } from './context.ts';

/** Options that stand for a variable of the environment. */
const SETTINGS: Readonly<Record<string, readonly [short: string, variable: ConstantName, what: string]>> = {
  charset: ['c', 'FSQ_CHARSET', 'What the bytes of names must be: utf8, ascii or latin1'],
  'root-dir': ['r', 'FSQ_ROOT', 'The directory that queues are in'],
  'queue-dir': ['q', 'FSQ_QUEUE', 'The name of the directory of items that wait'],
  'tmp-dir': ['t', 'FSQ_TMP', 'The name of the directory of items that are written'],
  'done-dir': ['d', 'FSQ_DONE', 'The name of the directory of items that are done'],
  'down-file': ['D', 'FSQ_DOWN', 'The name of the file that stops scanning'],
  'trigger-fifo': ['T', 'FSQ_TRIGGER', 'The name of the FIFO that tells of new items'],
};

const options: Options = {
  ...Object.fromEntries(
    Object.entries(SETTINGS).map(([name, [short, variable, what]]) => [
      name,
      optional(short, variable, what, text),
    ]),
  ),
  'exec-dir': optional(
    undefined,
    'DIR',
    'Taken for the sake of the original; all subcommands are built in',
    text,
  ),
  list: { kind: 'flag', short: 'l', help: 'Print the names of the subcommands' },
};

const FSQ: Program = {
  name: 'fsq',
  version: 'fsq 0.2.5',
  summary: `Queues in directories: an item is a file, its arguments are its name. From intray ${VERSION}`,
  commands: COMMANDS,
  options,
  exits: [
    ['0', 'success (FSQ_SUCCESS)'],
    ['100', 'the command line or a setting makes no sense (FSQ_FAIL_PERM)'],
    ['111', 'something that may be otherwise the next time (FSQ_FAIL_TMP)'],
  ],
  examples: [
    'fsq install mail',
    'echo "Hello" | fsq enqueue mail alice@example.com urgent',
    'fsq scan mail ./deliver --to',
  ],
};

/** The words before the subcommand, as a command that takes all that follows as it is. */
const BEFORE: CommandSpec = {
  name: '',
  summary: '',
  options,
  operand: { name: 'COMMAND', help: '', parse: text, otherwise: '' },
  more: { name: 'ARGS', help: '', atLeast: 0 },
  optionsFirst: true,
  examples: [],
  load: () => Promise.reject(new Error('the words before a subcommand are no command')),
};

export async function fsq(machine: Machine, argv: readonly string[]): Promise<number> {
  const context = newContext(machine, 'fsq', 'info');
  const before = parseCommand(BEFORE, argv);
  if (before.kind === 'help' || argv[0] === 'help') {
    await context.print(programHelp(FSQ));
    return DEFAULTS.success;
  }
  const badUsage = async (message: string, constants = DEFAULTS) => {
    await context.complain(`fsq: ${message}\nFor more, try --help\n`);
    return constants.failPerm;
  };
  if (argv[0] === '-V' || argv[0] === '--version') {
    await context.print(`${FSQ.version}\n`);
    return DEFAULTS.success;
  }
  if (before.kind === 'usage') return badUsage(before.message);
  const given = before.args.options as Readonly<Record<string, string | boolean | undefined>>;
  if (given.list === true) {
    await context.print(COMMANDS.map(({ name }) => `${name}\n`).join(''));
    return DEFAULTS.success;
  }
  const name = before.args.operand as string;
  const spec = COMMANDS.find((candidate) => candidate.name === name);
  if (name === '') return badUsage('a COMMAND is missing');
  if (spec === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name);
    return badUsage(`there is no command "${name}"${didYouMean(name, names)}`);
  }
  let constants: Constants;
  try {
    constants = constantsFrom(environment(machine, given));
  } catch (error) {
    if (!isQueueError(error, 'bad-setting')) throw error;
    return badUsage(sentenceOf(error));
  }
  return runSubcommand({ ...context, constants }, spec, before.args.more);
}

async function runSubcommand(
  context: FsqContext,
  spec: CommandSpec,
  words: readonly string[],
): Promise<number> {
  const { constants } = context;
  const parsed = parseCommand(spec, words);
  if (parsed.kind === 'help') {
    await context.print(commandHelp(FSQ, spec));
    return constants.success;
  }
  if (parsed.kind === 'usage') {
    await context.complain(`fsq: ${parsed.message}\n${usageLine(FSQ, spec)}\nFor more, try --help\n`);
    return constants.failPerm;
  }
  try {
    const run = await spec.load();
    return await run(context, parsed.args);
  } catch (error) {
    await context.complain(`fsq: ${sentenceOf(error)}\n`);
    // What would fail the same way each time is not to be tried again.
    return isQueueError(error, 'bad-setting', 'not-written') ? constants.failPerm : constants.failTmp;
  }
}

function environment(
  machine: Machine,
  given: Readonly<Record<string, string | boolean | undefined>>,
): Map<string, string> {
  const env = new Map(machine.host.env());
  for (const [name, [, variable]] of Object.entries(SETTINGS)) {
    const value = given[name];
    if (typeof value === 'string') env.set(variable, value);
  }
  return env;
}
