/** Manual pages, made from the tables of commands as the help texts are; the macros are those of groff_man(7). */

import type { CommandSpec } from './command.ts';
import { operandRows, optionRows, type Program, usageLine } from './help.ts';

export type ManPage = { readonly file: string; readonly text: string };

const SECTION = 1;

/** One for the program and one for each of its commands: `intray.1`, `intray-add.1`. */
export function manPages(program: Program): ManPage[] {
  return [
    { file: fileName(program.name), text: programPage(program) },
    ...program.commands.map((command) => ({
      file: fileName(pageName(program, command)),
      text: commandPage(program, command),
    })),
  ];
}

function fileName(page: string): string {
  return `${page}.${SECTION}`;
}

function pageName(program: Program, { name }: CommandSpec): string {
  return `${program.name}-${name.replaceAll(' ', '-')}`;
}

function programPage(program: Program): string {
  const commands = program.commands.map(
    (command) => [`${pageName(program, command)}(${SECTION})`, command.summary] as const,
  );
  return page(program, program.name, program.summary, [
    ['SYNOPSIS', `.B ${roff(program.name)}\n${roff('[OPTIONS] COMMAND ...')}`],
    ['COMMANDS', rows([...commands, ...(program.programs ?? [])])],
    ['EXIT STATUS', rows(program.exits ?? [])],
    ['EXAMPLES', examples(program.examples)],
  ]);
}

function commandPage(program: Program, command: CommandSpec): string {
  const operands = operandRows(command);
  return page(program, pageName(program, command), command.summary, [
    ['SYNOPSIS', roff(usageLine(program, command).replace(/^Usage: /, ''))],
    ...(operands.length > 0 ? [['ARGUMENTS', rows(operands)] as const] : []),
    ['OPTIONS', rows([...optionRows(command.options), ['-h, --help', 'Print the same on the terminal']])],
    ['EXIT STATUS', rows(command.exits ?? program.exits ?? [])],
    ['EXAMPLES', examples(command.examples)],
    ['SEE ALSO', `.BR ${roff(program.name)} (${SECTION})`],
  ]);
}

function page(
  { version }: Program,
  name: string,
  summary: string,
  sections: readonly (readonly [title: string, body: string])[],
): string {
  return [
    `.TH ${name.toUpperCase()} ${SECTION} "" "${version}"`,
    `.SH NAME\n${roff(name)} \\- ${roff(summary)}`,
    ...sections.map(([title, body]) => `.SH ${title}\n${body}`),
    '',
  ].join('\n');
}

function rows(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, meaning]) => `.TP\n.B ${roff(name.trim())}\n${roff(meaning)}`).join('\n');
}

function examples(lines: readonly string[]): string {
  return ['.EX', ...lines.map(roff), '.EE'].join('\n');
}

/** As running text: backslashes, hyphens that are typed, and a full stop or quote at the beginning mean something to roff. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.');
}
