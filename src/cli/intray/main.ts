/** The `intray` command: which of its commands is meant, and how that ended. */

import type { Machine } from '../../os/ports.ts';
import type { CommandSpec } from '../command.ts';
import { type Context, newContext } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { commandHelp, type Program, programHelp, usageLine } from '../help.ts';
import { parseCommand } from '../parse.ts';
import { didYouMean } from '../suggest.ts';
import { UsageProblem } from '../usage.ts';
import { COMMANDS } from './commands.ts';
import { endingOf, exitStatus } from './exit-codes.ts';
import { programOf } from './program.ts';

const HELP_HINT = 'For more, try --help';

/** What the words ask for. */
type Intent =
  | { readonly kind: 'run'; readonly command: CommandSpec; readonly words: readonly string[] }
  | { readonly kind: 'fspl' | 'fsq'; readonly words: readonly string[] }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'help' }
  | { readonly kind: 'unknown'; readonly word: string }
  | { readonly kind: 'usage'; readonly message: string };

export async function intray(
  machine: Machine,
  argv: readonly string[],
  commands: readonly CommandSpec[] = COMMANDS,
): Promise<number> {
  const context = newContext(machine, 'intray', 'info');
  const program = programOf(commands);
  const intent = parseProgram(program, argv);
  switch (intent.kind) {
    case 'run':
      return runCommand(context, program, intent.command, intent.words);
    case 'fspl':
      return (await import('../fspl/main.ts')).fspl(machine, intent.words);
    case 'fsq':
      return (await import('../fsq/main.ts')).fsq(machine, intent.words);
    case 'print':
      await context.print(intent.text);
      return exitStatus('done');
    case 'help':
      await context.complain(programHelp(program));
      return exitStatus('usage');
    case 'unknown':
      return complain(context, await unknownCommand(program, intent.word));
    case 'usage':
      return complain(context, intent.message);
  }
}

/** Pure. Options may stand before and after a command's other arguments, but a command's name comes first. */
export function parseProgram(program: Program, argv: readonly string[]): Intent {
  const [word, ...words] = argv;
  if (word === undefined) return { kind: 'help' };
  if (word === '-h' || word === '--help') return { kind: 'print', text: programHelp(program) };
  if (word === '-V' || word === '--version') return { kind: 'print', text: `${program.version}\n` };
  if (word.startsWith('-')) return { kind: 'usage', message: `there is no option \`${word}\` here` };
  if (word === 'fspl' || word === 'fsq') return { kind: word, words };
  if (word === 'help') return parseHelp(program, words);
  const nested = program.commands.find(({ name }) => name === `${word} ${words[0]}`);
  if (nested !== undefined) return { kind: 'run', command: nested, words: words.slice(1) };
  const command = program.commands.find(({ name }) => name === word);
  return command === undefined ? { kind: 'unknown', word } : { kind: 'run', command, words };
}

/** `help`, `help COMMAND`, `help fspl` and `help fspl COMMAND`; the same with `fsq`. */
function parseHelp(program: Program, words: readonly string[]): Intent {
  const [word, ...more] = words;
  if (word === undefined || word === 'help' || word.startsWith('-')) {
    return { kind: 'print', text: programHelp(program) };
  }
  if (word === 'fspl' || word === 'fsq') return { kind: word, words: ['help', ...more] };
  const nested = program.commands.find(({ name }) => name === `${word} ${more[0]}`);
  if (nested !== undefined) return { kind: 'print', text: commandHelp(program, nested) };
  const command = program.commands.find(({ name }) => name === word);
  if (command === undefined) return { kind: 'unknown', word };
  if (more[0] !== undefined) return { kind: 'usage', message: `"${more[0]}" is one argument too many` };
  return { kind: 'print', text: commandHelp(program, command) };
}

async function runCommand(
  context: Context,
  program: Program,
  command: CommandSpec,
  words: readonly string[],
): Promise<number> {
  const parsed = parseCommand(command, words);
  if (parsed.kind === 'help') {
    await context.print(commandHelp(program, command));
    return exitStatus('done');
  }
  if (parsed.kind === 'usage') return complain(context, parsed.message, usageLine(program, command));
  try {
    const run = await command.load();
    return await run(context, parsed.args);
  } catch (error) {
    if (error instanceof UsageProblem) return complain(context, error.message, usageLine(program, command));
    await context.log('error', sentenceOf(error));
    return exitStatus(endingOf(error));
  }
}

/** People who know Filespooler try its commands without its name. */
async function unknownCommand(program: Program, word: string): Promise<string> {
  const ofFilespooler = (await import('../fspl/commands.ts')).COMMANDS;
  if (ofFilespooler.some(({ name }) => name === word)) {
    return `"${word}" is a command of Filespooler: type \`intray fspl ${word}\``;
  }
  const names = [...program.commands.map(({ name }) => name), 'fspl', 'fsq', 'help'];
  return `there is no command "${word}"${didYouMean(word, names)}`;
}

async function complain(context: Context, message: string, usage?: string): Promise<number> {
  await context.log('error', `${message}\n\n${usage === undefined ? '' : `${usage}\n`}${HELP_HINT}`);
  return exitStatus('usage');
}
