/** From the words on the command line to what is meant. Pure: it reads nothing and changes nothing. */

import { parseArgs } from 'node:util';
import type { Arguments, CommandSpec, Flag, Options, OptionValues, Value } from './command.ts';

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
    const given = scan.given.get(name);
    if (option.kind === 'flag') {
      options[name] = given !== undefined;
    } else if (given !== undefined) {
      const parsed = option.parse(given);
      if ('expected' in parsed)
        return usage(`Expected \`--${name}\` to be ${parsed.expected}, got "${given}"`);
      options[name] = parsed.value;
    } else if (option.required) {
      return usage(`\`--${name} ${option.placeholder}\` is missing`);
    }
  }
  const operand = parseOperand(spec, scan.operands);
  if (operand.kind === 'usage') return operand;
  const exact = options as OptionValues<Options>; // by the loop above
  return { kind: 'run', args: { options: exact, operand: operand.value, rest: scan.rest } };
}

type Scanned = {
  readonly kind: 'scanned';
  readonly given: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  readonly rest: readonly string[];
};

/** Sorts the words into options, operands and what follows `--`, and stops at the first that does not fit. */
function scanWords(spec: CommandSpec, words: readonly string[]): Scanned | { kind: 'help' } | UsageError {
  const given = new Map<string, string>();
  const operands: string[] = [];
  const rest: string[] = [];
  let terminated = false;
  const { tokens } = parseArgs({
    args: [...words],
    options: nodeOptions(spec.options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'option-terminator') {
      terminated = true;
    } else if (token.kind === 'positional') {
      if (terminated && spec.rest !== undefined) rest.push(token.value);
      else if (operands.length === (spec.operand === undefined ? 0 : 1)) {
        return usage(`"${token.value}" is one argument too many${hintAtRest(spec)}`);
      } else operands.push(token.value);
    } else if (asksForHelp(token)) {
      return { kind: 'help' };
    } else {
      const wrong = takeOption(spec.options, given, token);
      if (wrong !== undefined) return usage(wrong);
    }
  }
  return { kind: 'scanned', given, operands, rest };
}

type OptionToken = {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
};

/** `-h`, also where the value of another option was expected: `-s -h`. */
function asksForHelp({ name, value, inlineValue }: OptionToken): boolean {
  if (name === 'help') return value === undefined;
  return inlineValue === false && (value === '-h' || value === '--help');
}

/** Notes one option. Returns what is wrong with it, if anything is. */
function takeOption(options: Options, given: Map<string, string>, token: OptionToken): string | undefined {
  const { name, rawName, value, inlineValue } = token;
  const option: Flag | Value<unknown, boolean> | undefined = options[name];
  if (option === undefined || !Object.hasOwn(options, name)) return `there is no option \`${rawName}\` here`;
  if (given.has(name)) return `\`${rawName}\` is there twice`;
  if (option.kind === 'flag') {
    if (value !== undefined) return `\`${rawName}\` takes no value`;
    given.set(name, '');
    return undefined;
  }
  const looksLikeOption = inlineValue === false && value !== undefined && /^-./.test(value);
  if (value === undefined || looksLikeOption) return `\`${rawName}\` needs a value: ${option.placeholder}`;
  // -s=FILE means the same as -sFILE.
  const short = inlineValue === true && !rawName.startsWith('--');
  given.set(name, short && value.startsWith('=') ? value.slice(1) : value);
  return undefined;
}

function parseOperand(spec: CommandSpec, operands: readonly string[]) {
  if (spec.operand === undefined) return { kind: 'operand', value: undefined } as const;
  const [given] = operands;
  if (given === undefined) return usage(`${spec.operand.name} is missing`);
  const parsed = spec.operand.parse(given);
  if ('expected' in parsed)
    return usage(`Expected ${spec.operand.name} to be ${parsed.expected}, got "${given}"`);
  return { kind: 'operand', value: parsed.value } as const;
}

function nodeOptions(options: Options) {
  const described: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, option] of Object.entries(options)) {
    described[name] = {
      type: option.kind === 'flag' ? 'boolean' : 'string',
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  return described;
}

function hintAtRest(spec: CommandSpec): string {
  return spec.rest === undefined ? '' : `; what is meant for ${spec.rest.name} goes after \`--\``;
}

function usage(message: string): UsageError {
  return { kind: 'usage', message };
}
