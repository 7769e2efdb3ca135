/** Help texts, made from the tables of commands. */

import type { CommandSpec, Options } from './command.ts';

export type Program = {
  readonly name: string;
  readonly version: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly commands: readonly CommandSpec[];
  /** Names and summaries of other programs that it stands in for. */
  readonly programs?: readonly (readonly [name: string, summary: string])[];
  /** Options before the command. */
  readonly options: Options;
  /** Exit statuses and their meanings, where there are more than the usual ones. */
  readonly exits?: readonly (readonly [status: string, meaning: string])[];
  readonly examples: readonly string[];
};

const WIDTH = 100;

export function programHelp(program: Program): string {
  return [
    `${program.version}\n${program.summary}`,
    `Usage: ${program.name} [OPTIONS] COMMAND ...`,
    section('Commands', [
      ...program.commands.map(({ name, summary }) => [name, summary] as const),
      ...(program.programs ?? []),
    ]),
    section('Options', [
      ...optionRows(program.options),
      ['-h, --help', 'Print this help; after a command: the help of that command'],
      ['-V, --version', 'Print the version'],
    ]),
    ...(program.exits === undefined ? [] : [section('Exit status', program.exits)]),
    `Examples:\n${program.examples.map((line) => `  ${line}`).join('\n')}\n`,
  ].join('\n\n');
}

export function commandHelp(program: Program, command: CommandSpec): string {
  const operands = operandRows(command);
  return [
    `${program.name} ${command.name}: ${command.summary}`,
    usageLine(program, command),
    ...(operands.length > 0 ? [section('Arguments', operands)] : []),
    section('Options', [...optionRows(command.options), ['-h, --help', 'Print this help']]),
    ...(command.exits === undefined ? [] : [section('Exit status', command.exits)]),
    `Examples:\n${command.examples.map((line) => `  ${line}`).join('\n')}\n`,
  ].join('\n\n');
}

export function usageLine(program: Program, command: CommandSpec): string {
  const words = [`Usage: ${program.name} ${command.name}`];
  const options = Object.entries(command.options);
  if (options.some(([, option]) => option.kind !== 'value' || !option.required)) words.push('[OPTIONS]');
  for (const [name, option] of options) {
    if (option.kind === 'value' && option.required) words.push(`--${name} ${option.placeholder}`);
  }
  if (command.operand !== undefined) {
    const { name, otherwise } = command.operand;
    words.push(otherwise === undefined ? name : `[${name}]`);
  }
  if (command.more !== undefined) {
    words.push(command.more.atLeast > 0 ? moreName(command.more) : `[${moreName(command.more)}]`);
  }
  if (command.rest !== undefined) {
    words.push(command.rest.atLeast === 1 ? `-- ${command.rest.name}...` : `[-- ${command.rest.name}...]`);
  }
  return words.join(' ');
}

/** What stands on the command line beside options, and what it is. */
export function operandRows(command: CommandSpec): [string, string][] {
  const rows: [string, string][] = [];
  if (command.operand !== undefined) rows.push([command.operand.name, command.operand.help]);
  if (command.more !== undefined) rows.push([moreName(command.more), command.more.help]);
  if (command.rest !== undefined) rows.push([command.rest.name, command.rest.help]);
  return rows;
}

function moreName({ name, atMost }: NonNullable<CommandSpec['more']>): string {
  return atMost === 1 ? name : `${name}...`;
}

/** Each option as it is written, and what it does. */
export function optionRows(options: Options): [string, string][] {
  return Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const value = option.kind === 'flag' ? '' : ` ${option.placeholder}`;
    const again = option.kind === 'values' ? '; may be there more than once' : '';
    return [`${short}--${name}${value}`, `${option.help}${again}`];
  });
}

/** Rows of a name and its explanation, in two columns, the second one wrapped. */
function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const column = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(([name, help]) => {
    const wrapped = wrap(help, WIDTH - column);
    return `  ${name}`.padEnd(column) + wrapped.join(`\n${' '.repeat(column)}`);
  });
  return `${title}:\n${lines.join('\n')}`;
}

function wrap(help: string, width: number): string[] {
  const lines = [''];
  for (const word of help.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
