/** From the words on the command line to what is meant. Pure: it reads nothing and changes nothing. */

import type { Arguments, CommandSpec, Options, OptionValues } from './command.ts';
import { didYouMean } from './suggest.ts';

export type ParsedCommand =
  | { readonly kind: 'run'; readonly args: Arguments<Options, unknown> }
  | { readonly kind: 'help' }
  | UsageError;

export type UsageError = { readonly kind: 'usage'; readonly message: string };

/** Reads the words that follow a command's name. */
export function parseCommand(spec: CommandSpec, words: readonly string[]): ParsedCommand {
  const scan = scanWords(spec, words);
  if (scan.kind !== 'scanned') return scan;
  const options: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(spec.options)) {
    const given = scan.given.get(name) ?? [];
    if (option.kind === 'flag') {
      options[name] = given.length > 0;
      continue;
    }
    const values: unknown[] = [];
    for (const text of given) {
      const parsed = option.parse(text);
      if ('expected' in parsed) {
        return usage(`Expected \`--${name}\` to be ${parsed.expected}, got "${text}"`);
      }
      values.push(parsed.value);
    }
    if (option.kind === 'values') options[name] = values;
    else if (given.length > 0) options[name] = values[0];
    else if (option.required) return usage(`\`--${name} ${option.placeholder}\` is missing`);
  }
  const operand = parseOperand(spec, scan.operands);
  if (operand.kind === 'usage') return operand;
  const exact = options as OptionValues<Options>; // by the loop above
  const more = scan.operands.slice(1);
  if (more.length < (spec.more?.atLeast ?? 0)) return usage(`${spec.more?.name} is missing`);
  if (scan.rest.length < (spec.rest?.atLeast ?? 0)) {
    return usage(`${spec.rest?.name} is missing: it comes after \`--\``);
  }
  return { kind: 'run', args: { options: exact, operand: operand.value, more, rest: scan.rest } };
}

/** What was written for each option: once, or more often where that means something. */
type Given = Map<string, string[]>;

type Scanned = {
  readonly kind: 'scanned';
  readonly given: Given;
  readonly operands: readonly string[];
  readonly rest: readonly string[];
};

/** Sorts the words into options, operands and what follows `--`, and stops at the first that does not fit. */
function scanWords(spec: CommandSpec, words: readonly string[]): Scanned | { kind: 'help' } | UsageError {
  const given: Given = new Map();
  const operands: string[] = [];
  const rest: string[] = [];
  const left = [...words];
  let terminated = false;
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (spec.optionsFirst && operands.length > 0) terminated = true;
    if (!terminated && word === '--') {
      terminated = true;
    } else if (!terminated && word.startsWith('-') && word !== '-') {
      const wrong = word.startsWith('--')
        ? takeLong(spec.options, word, left, given)
        : takeShorts(spec.options, word, left, given);
      if (wrong === 'help') return { kind: 'help' };
      // Behind the last operand that can be meant, it is probably another program's.
      if (wrong !== undefined) return usage(operands.length > 1 ? `${wrong}${hintAtRest(spec)}` : wrong);
    } else if (terminated && spec.rest !== undefined) {
      rest.push(word);
    } else if (operands.length === mostOperands(spec)) {
      return usage(`"${word}" is one argument too many${hintAtRest(spec)}`);
    } else {
      operands.push(word);
    }
  }
  return { kind: 'scanned', given, operands, rest };
}

function mostOperands({ operand, more }: CommandSpec): number {
  if (operand === undefined) return 0;
  return more === undefined ? 1 : 1 + (more.atMost ?? Number.POSITIVE_INFINITY);
}

/** What is wrong with an option, `help` if it asks for that, or undefined when it was noted. */
type Taken = string | undefined;

/** `--name`, `--name value` and `--name=value`. */
function takeLong(options: Options, word: string, left: string[], given: Given): Taken {
  const equals = word.indexOf('=');
  const written = equals < 0 ? word : word.slice(0, equals);
  if (written === '--help') return equals < 0 ? 'help' : '`--help` takes no value';
  const name = written.slice('--'.length);
  return take(options, name, written, equals < 0 ? undefined : word.slice(equals + 1), left, given);
}

/** `-n`, `-n value`, `-nvalue` and `-n=value`; flags may stand together. */
function takeShorts(options: Options, word: string, left: string[], given: Given): Taken {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] ?? '';
    if (letter === 'h') return 'help';
    const [name, option] = Object.entries(options).find(([, { short }]) => short === letter) ?? [];
    const inline = word.slice(at + 1);
    const isFlag = option?.kind === 'flag';
    const value = isFlag || inline === '' ? undefined : inline.replace(/^=/, '');
    const wrong = take(options, name ?? '', `-${letter}`, value, left, given);
    if (wrong !== undefined || !isFlag) return wrong;
  }
  return undefined;
}

/** Notes an option with its value: the one written with it, or else the next word. */
function take(
  options: Options,
  name: string,
  written: string,
  inline: string | undefined,
  left: string[],
  given: Given,
): Taken {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) return `there is no option \`${written}\` here${suggestion(options, written)}`;
  if (option.kind === 'flag' && inline !== undefined) return `\`${written}\` takes no value`;
  const next = left[0];
  if (option.kind !== 'flag' && inline === undefined) {
    if (next === '-h' || next === '--help') return 'help';
    if (next === undefined || /^-./.test(next)) return `\`${written}\` needs a value: ${option.placeholder}`;
  }
  const before = given.get(name) ?? [];
  if (before.length > 0 && option.kind !== 'values') return `\`${written}\` is there twice`;
  given.set(name, [...before, option.kind === 'flag' ? '' : (inline ?? left.shift() ?? '')]);
  return undefined;
}

/** One letter could be anything. */
function suggestion(options: Options, written: string): string {
  const names = ['help', ...Object.keys(options)].map((name) => `--${name}`);
  return written.startsWith('--') ? didYouMean(written, names) : '';
}

function parseOperand(spec: CommandSpec, operands: readonly string[]) {
  if (spec.operand === undefined) return { kind: 'operand', value: undefined } as const;
  const [given] = operands;
  const { otherwise } = spec.operand;
  if (given === undefined && otherwise !== undefined) return { kind: 'operand', value: otherwise } as const;
  if (given === undefined) return usage(`${spec.operand.name} is missing`);
  const parsed = spec.operand.parse(given);
  if ('expected' in parsed)
    return usage(`Expected ${spec.operand.name} to be ${parsed.expected}, got "${given}"`);
  return { kind: 'operand', value: parsed.value } as const;
}

function hintAtRest(spec: CommandSpec): string {
  if (spec.hint !== undefined) return `; ${spec.hint}`;
  return spec.rest === undefined ? '' : `; what is meant for ${spec.rest.name} goes after \`--\``;
}

function usage(message: string): UsageError {
  return { kind: 'usage', message };
}
