/**
 * Ends a command whose processor was killed with a signal that nobody can catch.
 *
 *     processor                         watchdog (a shell)              command
 *     ---------                         ------------------              -------
 *     takes the queue's lock
 *     starts the watchdog, handing it   waits for the end of the pipe
 *       a pipe, a note and the lock
 *     starts the command                                                runs, in a group of its own
 *     notes the group's number
 *     is killed -9                      end of file on the pipe         runs on, nobody waits for it
 *                                       reads the note
 *                                       TERM, later KILL to the group   ends
 *                                       ends: only now the lock is free
 *
 * So a second processor, started at once by cron, cannot run the job while its first run is still going on. Only
 * if the processor is killed in the microseconds between the start of the command and the note does
 * the command live on unguarded.
 */

import { encodeBytes } from '../os/bytes.ts';
import type { Child, Descriptor, Machine } from '../os/ports.ts';

/** Tenths of a second that an abandoned command has between TERM and KILL. */
const GRACE_TENTHS = 50;
/** And how long a killed one is waited for: where nobody collects the dead, it would seem to be there for ever. */
const KILLED_TENTHS = 10;

/**
 * Descriptor 0 is a pipe that never brings a byte: it ends when we do. 3 is the note: a file in memory, its one line
 * whom to end, as kill takes it (minus a group, or a process), or 0. (The number does not go through the pipe, for that would wake the shell
 * twice for every job.)
 */
const SCRIPT = `
trap '' TERM INT HUP QUIT
read -r nothing
read -r target <&3
[ "$target" -ne 0 ] || exit 0
kill -TERM "$target" 2>/dev/null || exit 0
tenths=0
while [ "$tenths" -lt ${GRACE_TENTHS + KILLED_TENTHS} ] && kill -0 "$target" 2>/dev/null; do
  [ "$tenths" -lt ${GRACE_TENTHS} ] || kill -KILL "$target" 2>/dev/null
  tenths=$((tenths + 1))
  sleep 0.1 2>/dev/null || sleep 1
done`;

/** Digits of the note, so that each line covers the one before. */
const NOTE_WIDTH = 12;

export interface Watchdog {
  /** Names the command to end should we die. */
  guard(child: Child): Promise<void>;
  /** No command is running any more. */
  rest(): Promise<void>;
  /** Ends the watchdog, and waits for it. */
  dismiss(): Promise<void>;
}

/** Starts the watchdog. `lock` is kept by it until nothing that it guards is left. */
export async function startWatchdog(machine: Machine, lock?: Descriptor): Promise<Watchdog> {
  const { files, processes, host } = machine;
  const { readEnd, writeEnd } = await processes.pipe();
  const nowhere = await files.open('/dev/null', 'truncate');
  const note = await processes.scratch();
  const write = async (target: number) => {
    await files.writeAt(note, encodeBytes(`${String(target).padEnd(NOTE_WIDTH)}\n`), 0);
  };
  let shell: Child;
  try {
    await write(0);
    shell = await processes.spawn({
      program: '/bin/sh',
      args: ['-c', SCRIPT, 'intray-watchdog'],
      env: host.env(),
      stdin: readEnd,
      stdout: nowhere,
      stderr: nowhere,
      extra: lock === undefined ? [note] : [note, lock],
    });
  } catch (error) {
    await files.close(writeEnd);
    await files.close(note);
    throw error;
  } finally {
    await files.close(readEnd);
    await files.close(nowhere);
  }
  return {
    guard: (child) => write(child.target),
    rest: () => write(0),
    dismiss: async () => {
      await files.close(writeEnd);
      await shell.exit;
      await files.close(note);
    },
  };
}
