/**
 * The whole terminal, taken and given back.
 *
 *   taken      raw mode (each key at once, none of them a signal), the alternate screen
 *   given back the terminal's old mode, the old screen, the cursor
 *
 * | what happens               | what comes of it                                                          |
 * |----------------------------|---------------------------------------------------------------------------|
 * | `close`                    | given back                                                                |
 * | the process exits, throws  | given back: an `exit` handler                                              |
 * | SIGTERM, SIGINT, SIGHUP    | for the caller to catch, and to close                                      |
 * | `suspend`, SIGTSTP         | given back, then stopped; taken again when it goes on                      |
 * | SIGSTOP                    | nobody can give it back; when it goes on, taken again and drawn anew       |
 * | kill -9                    | nobody can give it back: `reset` does                                      |
 */

import fs from 'node:fs';
import tty from 'node:tty';
import { hasErrno, type Screen, type ScreenListener, STDIN, STDOUT } from '../ports.ts';

/** xterm's private modes, which all terminals of today know: 1049 alternate screen, 25 cursor, 7 lines that wrap. */
const TAKE = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const GIVE_BACK = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';

/** How long a stop signal may take to arrive. */
const STOP_MS = 50;

const DEFAULT_SIZE = { columns: 80, rows: 24 };

export function openScreen(listener: ScreenListener): Screen | undefined {
  if (!tty.isatty(STDIN) || !tty.isatty(STDOUT)) return undefined;
  const { stdin, stdout } = process;
  const decoder = new TextDecoder();
  let ours = false;

  const take = () => {
    stdin.setRawMode(true);
    say(TAKE);
    ours = true;
  };
  const giveBack = () => {
    if (!ours) return;
    ours = false;
    say(GIVE_BACK);
    stdin.setRawMode(false);
  };
  const goOn = () => {
    // Whoever had the terminal meanwhile has set it as they like, and the runtime thinks it knows the mode.
    stdin.setRawMode(false);
    take();
    listener.onRedraw();
  };
  const stop = () => {
    giveBack();
    // As the terminal itself would: all of the group, such as the shell script that started us. Where nobody could let
    // it go on, as in a terminal that has no shell, the kernel lets this be, and no SIGCONT comes.
    process.removeListener('SIGTSTP', stop);
    process.kill(0, 'SIGTSTP');
    setTimeout(() => {
      if (closed) return;
      process.removeListener('SIGTSTP', stop);
      process.on('SIGTSTP', stop);
      if (!ours) goOn();
    }, STOP_MS);
  };
  const onData = (chunk: Uint8Array) => listener.onInput(decoder.decode(chunk, { stream: true }));
  const onGone = () => listener.onGone();

  let closed = false;
  take();
  process.on('exit', giveBack);
  process.on('SIGCONT', goOn);
  process.on('SIGTSTP', stop);
  stdout.on('resize', listener.onRedraw);
  stdin.on('data', onData).on('end', onGone).on('error', onGone);
  stdin.resume();
  return {
    get isOurs() {
      return ours;
    },
    size: () => ({
      columns: stdout.columns || DEFAULT_SIZE.columns,
      rows: stdout.rows || DEFAULT_SIZE.rows,
    }),
    suspend: stop,
    close: () => {
      if (closed) return;
      closed = true;
      process.removeListener('SIGCONT', goOn);
      process.removeListener('SIGTSTP', stop);
      process.removeListener('exit', giveBack);
      stdout.removeListener('resize', listener.onRedraw);
      stdin.removeListener('data', onData).removeListener('end', onGone);
      giveBack();
      stdin.pause();
      stdin.unref();
    },
  };
}

/** Synchronously, as in the last moment of a process nothing else is. */
function say(text: string): void {
  try {
    fs.writeSync(STDOUT, text);
  } catch (error) {
    // The terminal is gone, and what was to be restored with it.
    if (!hasErrno(error, 'EIO', 'EPIPE', 'EBADF', 'EAGAIN')) throw error;
  }
}
