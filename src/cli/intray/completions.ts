/** Completion scripts for shells, made from the tables of commands. */

import type { CommandSpec, Options } from '../command.ts';
import type { Context } from '../context.ts';
import { exitStatus } from './exit-codes.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Of commands with two words, such as `monitor init`, only the first is completed: behind it a directory may stand too. */
export function completionsFor(commands: readonly CommandSpec[]) {
  return async ({ print }: Context, args: { readonly operand: Shell }): Promise<number> => {
    const programs = [
      { name: 'fspl', commands: (await import('../fspl/commands.ts')).COMMANDS },
      { name: 'fsq', commands: (await import('../fsq/commands.ts')).COMMANDS },
      { name: 'intray', commands: commands.filter(({ name }) => !name.includes(' ')) },
    ];
    const write = { bash, zsh, fish }[args.operand];
    await print(write(programs));
    return exitStatus('done');
  };
}

type Program = { readonly name: string; readonly commands: readonly CommandSpec[] };

/** Words that stand where a command does, and are none of the table. */
function otherWords({ name }: Program): string[] {
  return name === 'intray' ? ['fspl', 'help'] : ['help'];
}

function spellings(name: string, short: string | undefined): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** For each spelling of an option that takes a value: the words it may be, none where it may be anything. */
function valuesOf(options: Options): { readonly spelling: string; readonly words: readonly string[] }[] {
  return Object.entries(options).flatMap(([name, option]) =>
    option.kind === 'flag'
      ? []
      : spellings(name, option.short).map((spelling) => ({ spelling, words: option.parse.words ?? [] })),
  );
}

function bash(programs: readonly Program[]): string {
  return `# bash completion for intray, fspl and fsq
${programs.map(bashFunction).join('\n')}
${programs.map(({ name }) => `complete -o bashdefault -o default -F _${name} ${name}`).join('\n')}
`;
}

function bashFunction(program: Program): string {
  const { name, commands } = program;
  const values = commands.flatMap((command) =>
    valuesOf(command.options).map(
      ({ spelling, words }) =>
        `    '${command.name} ${spelling}') names='${words.join(' ')}'; [ -n "$names" ] || return ;;`,
    ),
  );
  const options = commands.map(
    (command) =>
      `    ${command.name}) names='${Object.keys(command.options)
        .map((option) => `--${option}`)
        .concat('--help')
        .join(' ')}' ;;`,
  );
  const operands = commands.flatMap((command) => {
    const words = command.operand?.parse.words ?? [];
    return words.length === 0 ? [] : [`    ${command.name}) names='${words.join(' ')}' ;;`];
  });
  const nested =
    name === 'intray'
      ? `
  if [ "$COMP_CWORD" -gt 1 ] && [ "\${COMP_WORDS[1]}" = fspl ]; then
    COMP_WORDS=("\${COMP_WORDS[@]:1}")
    COMP_CWORD=$((COMP_CWORD - 1))
    _fspl
    return
  fi`
      : '';
  const names = [...commands.map((command) => command.name), ...otherWords(program)].join(' ');
  return `_${name}() {
  COMPREPLY=()${nested}
  local command=\${COMP_WORDS[1]} current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local names='' at
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [ "\${COMP_WORDS[at]}" = -- ]; then
      [ "$before" != -- ] || COMPREPLY=($(compgen -c -- "$current"))
      return
    fi
  done
  if [ "$COMP_CWORD" -eq 1 ] || [ "$command" = help ]; then
    names='${names}'
  else
    case "$command $before" in
${values.join('\n')}
    esac
    if [ -z "$names" ] && [[ $current == -* ]]; then
      case "$command" in
${options.join('\n')}
      esac
    elif [ -z "$names" ]; then
      case "$command" in
${operands.join('\n')}
      esac
    fi
  fi
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}`;
}

function zsh(programs: readonly Program[]): string {
  return `#compdef ${programs.map(({ name }) => name).join(' ')}
# zsh completion for intray, fspl and fsq
${programs.map(zshFunction).join('\n')}
case $service in
${programs.map(({ name }) => `  ${name}) _${name}_words "$@" ;;`).join('\n')}
esac
`;
}

function zshFunction(program: Program): string {
  const described = program.commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const others = otherWords(program).map((name) => `    ${name}`);
  const cases = program.commands.map(({ name, options, operand }) => {
    const rows = Object.entries(options).flatMap(([option, spec]) => {
      const help = spec.help.replace(/[[\]:\\]/g, '\\$&');
      const words = spec.kind === 'flag' ? [] : (spec.parse.words ?? []);
      const value =
        spec.kind === 'flag'
          ? ''
          : `:${spec.placeholder.replace(/[:\\]/g, '\\$&')}:${words.length === 0 ? '_files' : `(${words.join(' ')})`}`;
      const again = spec.kind === 'values' ? '*' : '';
      return spellings(option, spec.short).map((spelling) => quoted(`${again}${spelling}[${help}]${value}`));
    });
    const words = operand?.parse.words ?? [];
    const rest = words.length === 0 ? "'*:file:_files'" : `'1:word:(${words.join(' ')})'`;
    return `    ${name}) _arguments ${[...rows, rest].join(' ')} ;;`;
  });
  const nested = program.name === 'intray' ? '\n    fspl) _fspl_words ;;' : '';
  return `_${program.name}_words() {
  local -a commands=(
${[...described, ...others].join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in${nested}
    help) _describe command commands ;;
${cases.join('\n')}
  esac
}`;
}

function fish(programs: readonly Program[]): string {
  return `# fish completion for intray, fspl and fsq
${programs.flatMap(fishLines).join('\n')}
`;
}

function fishLines(program: Program): string[] {
  const { name: of, commands } = program;
  const first = (word: string, help: string) =>
    `complete -c ${of} -n __fish_use_subcommand -a ${word} -d ${quotedForFish(help)}`;
  const lines = commands.map(({ name, summary }) => first(name, summary));
  lines.push(first('help', 'Print the help of a command'));
  if (of === 'intray') lines.push(first('fspl', 'The commands of Filespooler'));
  for (const { name, options, operand } of commands) {
    const here = `complete -c ${of} -n '__fish_seen_subcommand_from ${name}'`;
    for (const [option, spec] of Object.entries(options)) {
      const short = spec.short === undefined ? '' : ` -s ${spec.short}`;
      const words = spec.kind === 'flag' ? undefined : spec.parse.words;
      const value = spec.kind === 'flag' ? '' : words === undefined ? ' -r' : ` -x -a '${words.join(' ')}'`;
      lines.push(`${here}${short} -l ${option}${value} -d ${quotedForFish(spec.help)}`);
    }
    const words = operand?.parse.words;
    if (words !== undefined) lines.push(`${here} -f -a '${words.join(' ')}'`);
  }
  return lines;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function quotedForFish(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
