/** The command line as a table: what is written, what is meant. */

import { describe, expect, it } from 'vitest';
import {
  type CommandSpec,
  command,
  flag,
  oneOf,
  optional,
  repeatable,
  required,
  text,
  u64,
} from '../../src/cli/command.ts';
import { parseProgram } from '../../src/cli/fspl/main.ts';
import { parseCommand } from '../../src/cli/parse.ts';

const PAINT: CommandSpec = command({
  name: 'paint',
  summary: '',
  options: {
    file: required('f', 'FILE', '', text),
    coats: optional('n', 'N', '', u64),
    colour: optional(undefined, 'COLOUR', '', oneOf(['Red', 'Blue'])),
    quickly: { ...flag(''), short: 'q' },
    thinly: flag(''),
    mix: repeatable('m', 'N', '', u64),
  },
  operand: { name: 'WALL', help: '', parse: text },
  rest: { name: 'TOOLS', help: '' },
  examples: [],
  load: async () => async () => 0,
});

const PLAIN: CommandSpec = command({
  name: 'plain',
  summary: '',
  options: {},
  examples: [],
  load: async () => async () => 0,
});

const NOTHING = { file: 'x', coats: undefined, colour: undefined, quickly: false, thinly: false, mix: [] };

describe('what is meant', () => {
  it.each<[string[], Partial<typeof NOTHING> | object, string, string[]]>([
    [['-f', 'x', 'w'], {}, 'w', []],
    [['w', '-fx'], {}, 'w', []],
    [['w', '-f=x'], {}, 'w', []],
    [['w', '-f==x'], { file: '=x' }, 'w', []],
    [['w', '--file', 'x'], {}, 'w', []],
    [['w', '--file=x'], {}, 'w', []],
    [['w', '--file=a=b'], { file: 'a=b' }, 'w', []],
    [['w', '--file='], { file: '' }, 'w', []],
    [['w', '-f', ''], { file: '' }, 'w', []],
    [['w', '-f', '-'], { file: '-' }, 'w', []],
    [['w', '--file=-x'], { file: '-x' }, 'w', []],
    [['-', '-fx'], {}, '-', []],
    [['w', '-fx', '-n', '+007'], { coats: 7n }, 'w', []],
    [['w', '-fx', '-n18446744073709551615'], { coats: 18446744073709551615n }, 'w', []],
    [['w', '-fx', '-m1', '--mix', '2', '--mix=1'], { mix: [1n, 2n, 1n] }, 'w', []],
    [['w', '-fx', '--colour', 'bLUE'], { colour: 'Blue' }, 'w', []],
    [['w', '-fx', '-q', '--thinly'], { quickly: true, thinly: true }, 'w', []],
    [['w', '-qfx'], { quickly: true }, 'w', []],
    [['w', '-qf', 'x'], { quickly: true }, 'w', []],
    [['w', '-fx', '--', 'a', '--', '-h', '-f'], {}, 'w', ['a', '--', '-h', '-f']],
    [['w', '-fx', '--'], {}, 'w', []],
  ])('of %j', (words, options, operand, rest) => {
    expect(parseCommand(PAINT, words)).toEqual({
      kind: 'run',
      args: { options: { ...NOTHING, ...options }, operand, more: [], rest },
    });
  });

  it.each([[['-h']], [['--help']], [['-f', '-h']], [['w', '-q', '-h', '--nonsense']], [['-qh']]])(
    'of %j is a question',
    (words) => {
      expect(parseCommand(PAINT, words)).toEqual({ kind: 'help' });
    },
  );
});

describe('what cannot be meant', () => {
  it.each([
    [['w'], '`--file FILE` is missing'],
    [['-fx'], 'WALL is missing'],
    [['-fx', '--', 'w'], 'WALL is missing'],
    [['w', '-f'], '`-f` needs a value: FILE'],
    [['w', '-f', '--'], '`-f` needs a value: FILE'],
    [['w', '-f', '-x'], '`-f` needs a value: FILE'],
    [['w', '--file', '-n'], '`--file` needs a value: FILE'],
    [['w', '-fx', '-fy'], '`-f` is there twice'],
    [['w', '-fx', '--file=y'], '`--file` is there twice'],
    [['w', '-fx', '-qq'], '`-q` is there twice'],
    [['w', '-fx', '--thinly=yes'], '`--thinly` takes no value'],
    [['w', '-fx', '--thin'], 'there is no option `--thin` here; did you mean `--thinly`?'],
    [['w', '-fx', '-Z'], 'there is no option `-Z` here'],
    [['w', '-fx', '--constructor'], 'there is no option `--constructor` here'],
    [['w', '-fx', '--help=x'], '`--help` takes no value'],
    [['w', '--flie', 'x'], 'there is no option `--flie` here; did you mean `--file`?'],
    [['w', '-fx', '--hlep'], 'there is no option `--hlep` here; did you mean `--help`?'],
    [['w', 'v', '-fx'], '"v" is one argument too many; what is meant for TOOLS goes after `--`'],
    [
      ['w', '-fx', '-n', 'many'],
      'Expected `--coats` to be a whole number from 0 to 18446744073709551615, got "many"',
    ],
    [
      ['w', '-fx', '-n', '1.5'],
      'Expected `--coats` to be a whole number from 0 to 18446744073709551615, got "1.5"',
    ],
    [['w', '-fx', '--colour='], 'Expected `--colour` to be Red, Blue, got ""'],
    [['--nonsense', '-h'], 'there is no option `--nonsense` here'],
  ])('%j', (words, message) => {
    expect(parseCommand(PAINT, words)).toEqual({ kind: 'usage', message });
  });

  it('anything, for a command that takes nothing', () => {
    expect(parseCommand(PLAIN, ['x'])).toEqual({ kind: 'usage', message: '"x" is one argument too many' });
    expect(parseCommand(PLAIN, ['--', 'x'])).toMatchObject({ kind: 'usage' });
    expect(parseCommand(PLAIN, ['--'])).toMatchObject({ kind: 'run' });
  });
});

describe('before the command', () => {
  it.each([
    [['gen-uuid', 'x'], { kind: 'run', level: 'info', words: ['x'] }],
    [['-l', 'WARN', 'gen-uuid'], { kind: 'run', level: 'warn' }],
    [['-l4', 'gen-uuid'], { kind: 'run', level: 'debug' }],
    [['--log-level=error', 'gen-uuid'], { kind: 'run', level: 'error' }],
    [['-V', 'gen-uuid'], { kind: 'print', status: 0, text: 'filespooler 1.2.2\n' }],
    [['-hV'], { kind: 'print', status: 0 }],
    [['help', 'prepare'], { kind: 'print', status: 0 }],
    [[], { kind: 'print', status: 2 }],
    [['-l', 'info'], { kind: 'print', status: 2 }],
    [['-l', 'loud', 'gen-uuid'], { kind: 'usage' }],
    [['-l', 'info', '-l', 'info', 'gen-uuid'], { kind: 'usage', message: '`--log-level` is there twice' }],
    [['gen'], { kind: 'usage', message: 'there is no command "gen"; fspl --help lists them' }],
    [['--', 'gen-uuid'], { kind: 'usage', message: 'there is no option `--` here' }],
    [['help', 'prepare', 'queue-ls'], { kind: 'usage' }],
  ])('%j', (argv, expected) => {
    expect(parseProgram(argv)).toMatchObject(expected);
  });
});
