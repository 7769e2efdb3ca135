/** A real terminal for programs that need one: tmux, whose screen can be read. */

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterEach } from 'vitest';

export type Terminal = {
  /** As tmux names keys: `q`, `Enter`, `C-c`; other words are typed. */
  keys(...keys: readonly string[]): void;
  resize(columns: number, rows: number): void;
  /** The lines of the screen. */
  screen(): string;
  /** What tmux knows of it: `alternate_on`, `cursor_flag`. */
  ask(variable: string): string;
  /** Waits for the screen to be so, and fails with the screen that it is instead. */
  until(what: string | RegExp): Promise<string>;
};

const DEADLINE_MS = 60_000;
const LOOK_MS = 30;

const running: string[] = [];

afterEach(() => {
  for (const socket of running.splice(0)) spawnSync('tmux', ['-L', socket, 'kill-server']);
});

/** A shell in a terminal; it ends with the test. */
export function openTerminal(cwd: string, columns: number, rows: number): Terminal {
  const socket = `intray-test-${randomUUID()}`;
  const tmux = (...args: readonly string[]) => {
    const { status, stdout, stderr, error } = spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      cwd,
      env: { ...process.env, TERM: 'xterm-256color', PS1: '$ ', TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  running.push(socket);
  tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, 'bash --norc --noprofile');
  const screen = () => tmux('capture-pane', '-p');
  const ask = (variable: string) => tmux('display-message', '-p', `#{${variable}}`).trim();
  return {
    keys: (...keys) => tmux('send-keys', ...keys),
    resize: (x, y) => tmux('resize-window', '-x', `${x}`, '-y', `${y}`),
    screen,
    ask,
    until: async (what) => {
      const deadline = Date.now() + DEADLINE_MS;
      for (;;) {
        const shown = screen();
        if (typeof what === 'string' ? shown.includes(what) : what.test(shown)) return shown;
        if (Date.now() > deadline) throw new Error(`the screen never had ${what}:\n${shown}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
  };
}
