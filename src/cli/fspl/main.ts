/** The `fspl` command: the options before the subcommand, the choice of the subcommand, errors and exit status. */

import type { Machine } from '../../os/ports.ts';
import { type CommandSpec, oneOf, optional } from '../command.ts';
import { type Context, LOG_LEVELS, type LogLevel, newContext } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { commandHelp, type Program, programHelp, usageLine } from '../help.ts';
import { parseCommand } from '../parse.ts';
import { VERSION } from '../version.ts';
import { COMMANDS } from './commands.ts';

/** Exit statuses of the original. */
const SUCCESS = 0;
const FAILURE = 1;
const BAD_USAGE = 2;

/** The original takes these for levels too. */
const LEVELS_BY_NUMBER: Record<string, LogLevel> = {
  1: 'error',
  2: 'warn',
  3: 'info',
  4: 'debug',
  5: 'trace',
};

const logLevel = optional<LogLevel>(
  'l',
  'LEVEL',
  'How much to say on standard error: trace, debug, info, warn or error [default: info]',
  (value) => {
    const numbered = LEVELS_BY_NUMBER[value];
    return numbered === undefined ? oneOf(LOG_LEVELS)(value) : { value: numbered };
  },
);

const FSPL: Program = {
  name: 'fspl',
  version: 'filespooler 1.2.2',
  summary: `Job queues in directories: jobs are files, run in the order they were made. From intray ${VERSION}`,
  commands: COMMANDS,
  options: { 'log-level': logLevel },
  examples: [
    'fspl queue-init -q ~/queue',
    'tar -cf - photos | fspl prepare -s ~/state -i - | fspl queue-write -q ~/queue',
    'fspl queue-process -q ~/queue tar -- -xf - -C /backups',
  ],
};

/** What the words before a subcommand ask for. */
type Intent =
  | {
      readonly kind: 'run';
      readonly level: LogLevel;
      readonly command: CommandSpec;
      readonly words: string[];
    }
  | { readonly kind: 'print'; readonly text: string; readonly status: number }
  | { readonly kind: 'usage'; readonly message: string };

export async function fspl(machine: Machine, argv: readonly string[]): Promise<number> {
  const intent = parseProgram(argv);
  const context = newContext(machine, 'fspl', intent.kind === 'run' ? intent.level : 'info');
  if (intent.kind === 'usage') return complain(context, `${intent.message}\n\n${HELP_HINT}`);
  if (intent.kind === 'print') {
    if (intent.status === SUCCESS) await context.print(intent.text);
    else await context.complain(intent.text);
    return intent.status;
  }
  const { command } = intent;
  const parsed = parseCommand(command, intent.words);
  if (parsed.kind === 'help') {
    await context.print(commandHelp(FSPL, command));
    return SUCCESS;
  }
  if (parsed.kind === 'usage') {
    return complain(context, `${parsed.message}\n\n${usageLine(FSPL, command)}\n${HELP_HINT}`);
  }
  try {
    const run = await command.load();
    return await run(context, parsed.args);
  } catch (error) {
    await context.complain(`Error: ${sentenceOf(error)}\n`);
    return FAILURE;
  }
}

const HELP_HINT = 'For more, try --help';

async function complain(context: Context, message: string): Promise<number> {
  await context.complain(`error: ${message}\n`);
  return BAD_USAGE;
}

/** Pure: reads `-l`, `-h`, `-V`, `help` and the subcommand's name. */
export function parseProgram(argv: readonly string[]): Intent {
  let level: LogLevel | undefined;
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (/^(-h[hV]*|--help)$/.test(word)) return { kind: 'print', text: programHelp(FSPL), status: SUCCESS };
    if (/^(-V[hV]*|--version)$/.test(word)) {
      return { kind: 'print', text: `${FSPL.version}\n`, status: SUCCESS };
    }
    if (word === 'help') return parseHelp(words);
    if (!word.startsWith('-')) return parseSubcommand(word, words, level ?? 'info');
    const value = levelText(word, words);
    if (value === undefined) return { kind: 'usage', message: `there is no option \`${word}\` here` };
    if (level !== undefined) return { kind: 'usage', message: '`--log-level` is there twice' };
    const parsed = logLevel.parse(value);
    if ('expected' in parsed) {
      return { kind: 'usage', message: `Expected \`--log-level\` to be ${parsed.expected}, got "${value}"` };
    }
    level = parsed.value;
  }
  return { kind: 'print', text: programHelp(FSPL), status: BAD_USAGE };
}

/** The value of -l in any of its forms, or undefined when this word is not that option. */
function levelText(word: string, words: string[]): string | undefined {
  if (word === '-l' || word === '--log-level') return words.shift() ?? '';
  if (word.startsWith('--log-level=')) return word.slice('--log-level='.length);
  return word.startsWith('-l') ? word.slice('-l'.length).replace(/^=/, '') : undefined;
}

function parseSubcommand(name: string, words: string[], level: LogLevel): Intent {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  return command === undefined ? unknownCommand(name) : { kind: 'run', level, command, words };
}

function parseHelp([name, more]: string[]): Intent {
  if (more !== undefined) return { kind: 'usage', message: `"${more}" is one argument too many` };
  if (name === undefined || name === 'help')
    return { kind: 'print', text: programHelp(FSPL), status: SUCCESS };
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return unknownCommand(name);
  return { kind: 'print', text: commandHelp(FSPL, command), status: SUCCESS };
}

function unknownCommand(name: string): Intent {
  return { kind: 'usage', message: `there is no command "${name}"; fspl --help lists them` };
}
