/** What shells are told to complete. */

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/intray/commands.ts';
import { intrayCli } from '../support/intray-cli.ts';

/** What bash would offer for the last of these words. */
function offered(...words: string[]): string[] {
  const { stdout: script } = intrayCli().run(['completions', 'bash']);
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const asked = `${script}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _intray; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', asked], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim().split('\n');
}

describe('completion in bash', () => {
  it.each<[string[], string[]]>([
    [['intray', 'wo'], ['work']],
    [['intray', 'work', '--out'], ['--output']],
    [
      ['intray', 'work', '--output', ''],
      ['log', 'inherit'],
    ],
    [['intray', 'work', 'q', '-o', 'in'], ['inherit']],
    [['intray', 'work', '--decoder', ''], ['']],
    [['intray', 'work', 'q', '--', 'x', '--out'], ['']],
    [
      ['intray', 'completions', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['intray', 'help', 'drai'], ['drain']],
    [['intray', 'fspl', 'queue-in'], ['queue-init', 'queue-info'].sort()],
    [['intray', 'fspl', 'queue-process', '--on-error', 'L'], ['Leave']],
  ])('of %j', (words, expected) => {
    expect(offered(...words).sort()).toEqual([...expected].sort());
  });

  it('knows programs behind `--`', () => {
    expect(offered('intray', 'work', 'q', '--', 'ba')).toContain('bash');
  });
});

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  it('has every command and every option', () => {
    const { status, stdout } = intrayCli().run(['completions', shell]);
    expect(status).toBe(0);
    for (const { name, options } of COMMANDS.filter(({ name }) => !name.includes(' '))) {
      expect(stdout).toContain(name);
      for (const option of Object.keys(options))
        expect(stdout).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
    }
  });

  it('is understood', ({ skip }) => {
    if (spawnSync(shell, ['--version']).error !== undefined) skip(`${shell} is not installed`);
    const { stdout: input } = intrayCli().run(['completions', shell]);
    expect(spawnSync(shell, ['-n'], { input, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

it('of another shell is refused', () => {
  const { status, stderr } = intrayCli().run(['completions', 'tcsh']);
  expect(status).toBe(2);
  expect(stderr).toContain('Expected SHELL to be bash, zsh, fish, got "tcsh"');
});
