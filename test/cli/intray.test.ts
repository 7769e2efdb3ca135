/** The `intray` command around its commands: which one is meant, help, errors, exit status. */

import { describe, expect, it } from 'vitest';
import { type CommandSpec, command, flag, oneOf, optional, text } from '../../src/cli/command.ts';
import { newContext } from '../../src/cli/context.ts';
import { EXIT_CODES } from '../../src/cli/intray/exit-codes.ts';
import { intray } from '../../src/cli/intray/main.ts';
import { printJson } from '../../src/cli/json.ts';
import { nearest } from '../../src/cli/suggest.ts';
import { coloursFor, progressFor } from '../../src/cli/terminal.ts';
import { STDOUT } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { type ErrorCode, QueueError } from '../../src/queue/errors.ts';
import { listening } from '../support/spoken.ts';

const ADD: CommandSpec = command({
  name: 'add',
  summary: 'Add a job',
  options: {
    json: flag('In JSON'),
    verbose: { ...flag('More words'), short: 'v' },
    quick: { ...flag('Not synced'), short: 'q' },
    level: optional('l', 'LEVEL', 'How', oneOf(['low', 'high'])),
  },
  operand: { name: 'DIR', help: 'The queue', parse: text },
  rest: { name: 'PARAMS', help: 'Sent along' },
  examples: ['intray add ~/q -- --level 9 < file'],
  load: async () => async (context, args) => {
    await context.print(`${JSON.stringify(args)}\n`);
    return 0;
  },
});

const failing = (error: unknown): CommandSpec =>
  command({
    name: 'fail',
    summary: '',
    options: {},
    examples: [],
    load: async () => async () => {
      throw error;
    },
  });

async function run(argv: string[], commands: readonly CommandSpec[] = [ADD]) {
  const { machine, said } = listening();
  const status = await intray(machine, argv, commands);
  return { status, ...said };
}

const GIVEN = { json: false, verbose: false, quick: false };

describe('a command', () => {
  it.each<[string[], object, string[]]>([
    [['add', 'q'], GIVEN, []],
    [['add', '--json', 'q'], { ...GIVEN, json: true }, []],
    [['add', 'q', '--json'], { ...GIVEN, json: true }, []],
    [['add', '-vq', 'q', '--level=high'], { ...GIVEN, verbose: true, quick: true, level: 'high' }, []],
    [['add', 'q', '-qvl', 'low'], { ...GIVEN, verbose: true, quick: true, level: 'low' }, []],
    [['add', 'q', '--', '--level', '9'], GIVEN, ['--level', '9']],
  ])('is run for %j', async (argv, options, rest) => {
    const { status, stdout } = await run(argv);
    expect(JSON.parse(stdout)).toEqual({ options, operand: 'q', more: [], rest });
    expect(status).toBe(0);
  });

  it.each<[ErrorCode, number]>([
    ['locked', 7],
    ['command-failed', 5],
    ['packet-damaged', 6],
    ['not-a-queue', 1],
  ])('that fails with %s ends with %i', async (code, expected) => {
    const { status, stderr } = await run(['fail'], [failing(new QueueError(code, '/q: so it is'))]);
    expect(stderr).toMatch(/^intray: error: \/q: so it is\n/);
    expect(status).toBe(expected);
  });

  it('that the system fails names the file in plain words', async () => {
    const { stderr, status } = await run(
      ['fail'],
      [failing(Object.assign(new Error('EACCES: x'), { code: 'EACCES', syscall: 'open', path: '/q/jobs' }))],
    );
    expect(stderr).toBe('intray: error: /q/jobs: permission denied\n');
    expect(status).toBe(1);
  });
});

describe('help', () => {
  it('lists the commands, fspl, every exit status, and examples', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('  add ');
    expect(stdout).toContain('  fspl ');
    for (const { status: number, meaning } of Object.values(EXIT_CODES)) {
      expect(stdout).toContain(`  ${number}  ${meaning}`);
    }
    expect(stdout).toContain('Examples:\n  intray');
    expect(await run(['help'])).toEqual({ status, stdout, stderr: '' });
  });

  it('of a command is the same in every way of asking, and has examples', async () => {
    const asked = await run(['help', 'add']);
    expect(asked.stdout).toContain('Examples:\n  intray add');
    for (const argv of [
      ['add', '--help'],
      ['add', '-h'],
      ['add', 'q', '--help'],
    ]) {
      expect(await run(argv)).toEqual(asked);
    }
  });

  it('of fspl is its own', async () => {
    expect((await run(['help', 'fspl'])).stdout).toContain('queue-process');
    expect((await run(['help', 'fspl', 'queue-ls'])).stdout).toContain('fspl queue-ls: ');
    expect((await run(['fspl', '-V'])).stdout).toBe('filespooler 1.2.2\n');
    expect((await run(['help', 'fsq'])).stdout).toContain('host-dist');
    expect((await run(['help', 'fsq', 'scan'])).stdout).toContain('fsq scan: ');
    expect((await run(['fsq', '-V'])).stdout).toBe('fsq 0.2.5\n');
  });

  it('comes unasked, as a complaint, when nothing is asked', async () => {
    const { status, stdout, stderr } = await run([]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: intray');
  });
});

describe('what is not understood', () => {
  it.each([
    [['ad'], 'there is no command "ad"; did you mean `add`?'],
    [['dad'], 'there is no command "dad"; did you mean `add`?'],
    [['help', 'ad'], 'there is no command "ad"; did you mean `add`?'],
    [['xyzzy'], 'there is no command "xyzzy"\n'],
    [['queue-init', '-q', 'q'], '"queue-init" is a command of Filespooler: type `intray fspl queue-init`'],
    [['--verbos'], 'there is no option `--verbos` here'],
    [['add', 'q', '--jsno'], 'there is no option `--jsno` here; did you mean `--json`?'],
    [['add'], 'DIR is missing'],
    [['add', 'q', 'r'], '"r" is one argument too many; what is meant for PARAMS goes after `--`'],
    [['add', 'q', '--level', 'top'], 'Expected `--level` to be low, high, got "top"'],
    [['help', 'add', 'me'], '"me" is one argument too many'],
  ])('%j ends with 2 and a sentence', async (argv, sentence) => {
    const { status, stdout, stderr } = await run(argv);
    expect(stderr).toContain(`intray: error: ${sentence}`);
    expect(stderr).toContain('For more, try --help\n');
    expect([status, stdout]).toEqual([2, '']);
  });

  it.each([
    ['doctro', 'doctor'],
    ['DOCTOR', 'doctor'],
    ['docter', 'doctor'],
    ['do', 'doctor'],
    ['d', undefined],
    ['stat', 'stats'],
    ['relay', undefined],
    ['rnu', 'run'],
  ])('%s: probably %s', (word, meant) => {
    expect(nearest(word, ['doctor', 'status', 'stats', 'run', 'add'])).toBe(meant);
  });
});

describe('the exit statuses', () => {
  it('are different, and none of those of shells', () => {
    const numbers = Object.values(EXIT_CODES).map(({ status }) => status);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThan(64);
  });
});

describe('output', () => {
  it('in JSON has large numbers as text and odd bytes as surrogates', async () => {
    const { machine, said } = listening();
    await printJson(newContext(machine, 'intray', 'info'), { seq: 2n ** 64n - 1n, name: 'a\udcff' });
    expect(said.stdout).toBe('{\n  "seq": "18446744073709551615",\n  "name": "a\\udcff"\n}\n');
  });

  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('on a terminal (%s) with %j has colours: %s', async (isTerminal, env, coloured) => {
    const host = {
      ...realMachine.host,
      env: () => new Map(Object.entries(env)),
      isTerminal: () => isTerminal,
    };
    const { machine, said } = listening({ host });
    const { bad } = await coloursFor(machine, STDOUT);
    expect(bad('no')).toBe(coloured ? '\x1b[31mno\x1b[0m' : 'no');
    const progress = await progressFor(machine);
    await progress.say('1 of 2');
    await progress.clear();
    const shown = isTerminal && !('TERM' in env);
    expect(said.stderr).toBe(shown ? '\r\x1b[K1 of 2\r\x1b[K' : '');
  });
});
