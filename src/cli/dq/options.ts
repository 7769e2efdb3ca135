/**
 * Options as the original's commands take them (Perl's Getopt::Long): `--dir D`, `--dir=D`, `-dir D`, or any beginning of
 * a name that no other has. They end at `--` or at the first word that is none: what follows is the command's, or files.
 * Pure.
 */

export type OptionSpec = {
  readonly kind: 'flag' | 'value' | 'values';
  readonly placeholder?: string;
  readonly help: string;
  readonly required?: boolean;
  /** What is wrong with a value; undefined: nothing. */
  readonly check?: (value: string) => string | undefined;
};

export type Program = {
  readonly name: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** What follows the options; at least one is needed. */
  readonly words?: string;
  readonly examples: readonly string[];
};

export type Given = {
  readonly flags: ReadonlySet<string>;
  /** Of each option its values, in their order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
};

export type Parsed =
  | { readonly kind: 'run'; readonly given: Given }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly message: string };

export function parseOptions(program: Program, argv: readonly string[]): Parsed {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const words = [...argv];
  for (let word = words[0]; word?.startsWith('-') && word !== '-'; word = words[0]) {
    words.shift();
    if (word === '--') break;
    const [, written = '', inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (written === 'help' || written === 'h') return { kind: 'help' };
    const found = nameOf(program, written);
    if (found === undefined) return usage(`there is no option ${word.replace(/=.*/s, '')} here`);
    const { name, spec } = found;
    if (spec.kind === 'flag') {
      if (inline !== undefined) return usage(`--${name} takes no value`);
      flags.add(name);
      continue;
    }
    const value = inline ?? words.shift();
    if (value === undefined) return usage(`--${name} needs a value: ${spec.placeholder}`);
    const wrong = spec.check?.(value);
    if (wrong !== undefined) return usage(`Expected --${name} to be ${wrong}, got "${value}"`);
    values.set(name, spec.kind === 'values' ? [...(values.get(name) ?? []), value] : [value]);
  }
  for (const [name, { required, placeholder }] of Object.entries(program.options)) {
    if (required && !values.has(name)) return usage(`--${name} ${placeholder} is missing`);
  }
  if (program.words === undefined && words.length > 0) return usage(`"${words[0]}" is one argument too many`);
  if (program.words !== undefined && words.length === 0) return usage(`${program.words} is missing`);
  return { kind: 'run', given: { flags, values, words } };
}

function nameOf({ options }: Program, written: string): { name: string; spec: OptionSpec } | undefined {
  const exact = Object.hasOwn(options, written) ? [written] : [];
  const begun = Object.keys(options).filter((name) => written !== '' && name.startsWith(written));
  const [name, ...others] = exact.length > 0 ? exact : begun;
  const spec = name === undefined ? undefined : options[name];
  return name === undefined || spec === undefined || others.length > 0 ? undefined : { name, spec };
}

function usage(message: string): Parsed {
  return { kind: 'usage', message };
}

export function usageLine({ name, options, words }: Program): string {
  const parts = Object.entries(options).map(([option, { kind, placeholder, required }]) => {
    const text = kind === 'flag' ? `--${option}` : `--${option} ${placeholder}`;
    return required ? text : `[${text}]${kind === 'values' ? '...' : ''}`;
  });
  return [`usage: ${name}`, ...parts, ...(words === undefined ? [] : [words])].join(' ');
}

export function helpOf(program: Program): string {
  const rows = Object.entries(program.options).map(([name, { kind, placeholder, help }]) => [
    kind === 'flag' ? `--${name}` : `--${name} ${placeholder}`,
    help,
  ]);
  const width = Math.max(...rows.map(([option = '']) => option.length));
  return [
    `${program.name}: ${program.summary}`,
    usageLine(program),
    ['Options:', ...rows.map(([option = '', help]) => `  ${option.padEnd(width)}  ${help}`)].join('\n'),
    ['Examples:', ...program.examples.map((line) => `  ${line}`), ''].join('\n'),
  ].join('\n\n');
}

export function wholeNumber(least: number, most: number): (value: string) => string | undefined {
  return (value) => {
    const isOne = /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most;
    if (isOne) return undefined;
    return most === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${least}`
      : `a whole number from ${least} to ${most}`;
  };
}
