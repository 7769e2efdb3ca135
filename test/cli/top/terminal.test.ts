/** `intray top` in a real terminal, with a real worker. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lacking } from '../../faults/support/needs.ts';
import { INTRAY_VARIANTS, intrayCli } from '../../support/intray-cli.ts';
import { openTerminal } from '../../support/terminal.ts';

const reason = lacking({ tools: ['tmux', 'bash', 'stty'] });

describe.skipIf(reason !== undefined).each(INTRAY_VARIANTS)(
  `as %s${reason ? ` (${reason})` : ''}`,
  (_name, program, first) => {
    const intray = [program, ...first].join(' ');

    /** A terminal in which `intray top` is to be started, by a script that notes the terminal's mode. */
    function shell(dir: string) {
      const terminal = openTerminal(dir, 80, 24);
      // The shell at the prompt sets the terminal right by itself; this one takes it as it is left.
      const script = `stty -g > before
trap : INT HUP
sh -c 'echo $$ > pid; exec ${intray} top '"$1"
status=$?
stty -g > after
echo "ended $status"
`;
      writeFileSync(join(dir, 'watched'), script);
      return {
        ...terminal,
        top: (words: string) => terminal.keys(`clear; sh ./watched '${words}'`, 'Enter'),
        /** Everything is as it was before. */
        expectRestored: (read: (path: string) => string) => {
          expect(read('after')).toBe(read('before'));
          expect(['alternate_on', 'cursor_flag', 'wrap_flag'].map(terminal.ask)).toEqual(['0', '1', '1']);
        },
      };
    }

    it('shows a running job and what it says, obeys keys, and gives the terminal back', async () => {
      const { dir, run, start, read } = intrayCli(program, first);
      run(['init', 'q']);
      run(['add', 'q', '--no-payload', '--lane', 'alice', '--', 'holiday.jpg']);
      run(['add', 'q', '--no-payload', '--lane', 'alice']);
      const wait = 'echo beginning; echo half-way; while [ ! -e go ]; do sleep 0.05; done';
      start(['work', 'q', '--', 'sh', '-c', wait]);
      const { top, until, keys, ask, resize, screen, expectRestored } = shell(dir);
      top('q -n 200ms');
      await until(/ Running \d/);
      keys('1');
      await until(/> [0-9a-f]{8} .* alice .*half-way/);
      expect(ask('alternate_on')).toBe('1');
      expect(screen()).toMatch(/^q {2}running/);
      resize(40, 10);
      await until(/^Run 1 Lanes 1 Wait 1/m);
      resize(100, 30);
      await until(/ Running 1\n.*LAST OUTPUT/);
      keys('Escape');
      await until(/> q +1 .* running/);
      keys('p');
      await until('Pause q, so that no job starts? (y/n)');
      keys('y');
      await until(/> q .* paused/);
      expect(readdirSync(join(dir, 'q'))).toContain('paused');
      keys('q');
      await until('ended 0');
      expectRestored(read);
    });

    it.each([
      ['TERM', 143],
      ['INT', 130],
      ['HUP', 129],
    ] as const)('gives the terminal back on SIG%s', async (signal, status) => {
      const { dir, run, read } = intrayCli(program, first);
      run(['init', 'q']);
      const { top, until, expectRestored } = shell(dir);
      top('q');
      await until(/^q {2}idle/);
      process.kill(Number(read('pid')), `SIG${signal}`);
      await until(`ended ${status}`);
      expectRestored(read);
    });

    it('dies of Ctrl-C, and gives the terminal back', async () => {
      const { dir, run, read } = intrayCli(program, first);
      run(['init', 'q']);
      const { top, keys, until, expectRestored } = shell(dir);
      top('q');
      await until(/^q {2}idle/);
      keys('C-c');
      await until('ended 130');
      expectRestored(read);
    });

    it('is suspended with Ctrl-Z, with all that it was started by, and takes the terminal again with fg', async () => {
      const { dir, run, read } = intrayCli(program, first);
      run(['init', 'q']);
      const { top, keys, until, ask, expectRestored } = shell(dir);
      top('q');
      await until(/^q {2}idle/);
      keys('C-z');
      await until('Stopped');
      expect(['alternate_on', 'cursor_flag', 'wrap_flag'].map(ask)).toEqual(['0', '1', '1']);
      keys('fg', 'Enter');
      await until(/^q {2}idle/);
      expect(ask('alternate_on')).toBe('1');
      keys('q');
      await until('ended 0');
      expectRestored(read);
    });

    it('runs a failed job again when told to', async () => {
      const { dir, run, list } = intrayCli(program, first);
      run(['init', 'q']);
      run(['add', 'q', '--no-payload']);
      run(['work', 'q', '--', 'false']);
      expect(list('q/failed')).toHaveLength(1);
      const { keys, top, until } = shell(dir);
      top('q -n 200ms');
      await until('it ended with exit code 1');
      keys('r');
      await until(/Run job .* again\? \(y\/n\)/);
      keys('y');
      await until(': waits to be run again.');
      await until(/^1 waiting, 0 running, 0 failed/m);
      expect(list('q/failed')).toEqual([]);
      keys('q');
      await until('ended 0');
    });
  },
);
