/**
 * Commands as data. A table of these is all that parsing, `--help` and completion know; the code that runs one
 * is loaded when it is asked for.
 */

import type { Context } from './context.ts';

export type Flag = { readonly kind: 'flag'; readonly short?: string; readonly help: string };

export type Value<T, Required extends boolean> = {
  readonly kind: 'value';
  readonly short?: string;
  /** What stands for the value in the help: `FILE`. */
  readonly placeholder: string;
  readonly help: string;
  readonly required: Required;
  readonly parse: Parse<T>;
};

/** May be there any number of times; what it means is all the values, in their order. */
export type Values<T> = {
  readonly kind: 'values';
  readonly short?: string;
  readonly placeholder: string;
  readonly help: string;
  readonly parse: Parse<T>;
};

/** The value, or a sentence that says what was expected: "expected a number from 0 to 9". */
export type Parse<T> = {
  (text: string): { readonly value: T } | { readonly expected: string };
  /** All that it may be, where that is a few words: for completion. */
  readonly words?: readonly string[];
};

// `unknown` would lose what each option is; only this bound is loose, the values are exact.
export type Options = Readonly<Record<string, Flag | Value<unknown, boolean> | Values<unknown>>>;

export type Operand<T> = {
  readonly name: string;
  readonly help: string;
  readonly parse: Parse<T>;
  /** What is meant when it is left out, for an operand that may be. */
  readonly otherwise?: T;
};

export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Flag
    ? boolean
    : O[K] extends Value<infer T, infer Required>
      ? Required extends true
        ? T
        : T | undefined
      : O[K] extends Values<infer T>
        ? readonly T[]
        : never;
};

export type Arguments<O extends Options, T> = {
  readonly options: OptionValues<O>;
  /** The first operand of commands that have any. */
  readonly operand: T;
  /** The operands that follow it. */
  readonly more: readonly string[];
  /** All that follows `--`, as it is, for commands that take such. */
  readonly rest: readonly string[];
};

/** Runs the command and resolves with its exit status. */
export type Run<O extends Options, T> = (context: Context, args: Arguments<O, T>) => Promise<number>;

export type CommandSpec<O extends Options = Options, T = unknown> = {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly options: O;
  /** The first operand, which must be there; left out when the command has none. */
  readonly operand?: Operand<T>;
  /** Commands that take more operands behind the first, and how many at least. */
  readonly more?: {
    readonly name: string;
    readonly help: string;
    readonly atLeast: 0 | 1;
    /** Left out: any number. */
    readonly atMost?: 1;
  };
  /** All that follows the first operand is operands too, whatever it begins with. */
  readonly optionsFirst?: true;
  /** What follows `--`; left out when the command takes nothing there. `atLeast`: how many words, 0 when left out. */
  readonly rest?: { readonly name: string; readonly help: string; readonly atLeast?: 0 | 1 };
  /** What to do with a word that is one too many, where it is not clear. */
  readonly hint?: string;
  /** Exit statuses and their meanings, for commands that end in more than the usual ways. */
  readonly exits?: readonly (readonly [status: string, meaning: string])[];
  /** Shell lines, shown by --help. */
  readonly examples: readonly string[];
  readonly load: () => Promise<Run<O, T>>;
};

/** A command whose option types are remembered until they meet the code that runs it, and then forgotten. */
export function command<const O extends Options, T = undefined>(spec: CommandSpec<O, T>): CommandSpec {
  return spec as unknown as CommandSpec;
}

export function flag(help: string): Flag {
  return { kind: 'flag', help };
}

export function required<T>(
  short: string,
  placeholder: string,
  help: string,
  parse: Parse<T>,
): Value<T, true> {
  return { kind: 'value', short, placeholder, help, required: true, parse };
}

export function optional<T>(
  short: string | undefined,
  placeholder: string,
  help: string,
  parse: Parse<T>,
): Value<T, false> {
  return {
    kind: 'value',
    ...(short === undefined ? {} : { short }),
    placeholder,
    help,
    required: false,
    parse,
  };
}

export function repeatable<T>(
  short: string | undefined,
  placeholder: string,
  help: string,
  parse: Parse<T>,
): Values<T> {
  return { kind: 'values', ...(short === undefined ? {} : { short }), placeholder, help, parse };
}

/** Any text. */
export const text: Parse<string> = (value) => ({ value });

/** A whole number from 0 to 2^64-1, as the original reads one: `+7` and `007` are 7. */
export const u64: Parse<bigint> = (value) => {
  const number = /^\+?\d{1,64}$/.test(value) ? BigInt(value.replace('+', '')) : -1n;
  if (number < 0n || number > 0xffff_ffff_ffff_ffffn) {
    return { expected: `a whole number from 0 to ${0xffff_ffff_ffff_ffffn}` };
  }
  return { value: number };
};

/** One of a few words, in any case. */
export function oneOf<const W extends readonly string[]>(words: W): Parse<W[number]> {
  const parse = (value: string) => {
    const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
    return found === undefined ? { expected: words.join(', ') } : { value: found };
  };
  return Object.assign(parse, { words });
}
