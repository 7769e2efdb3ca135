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
import { closeQuietly } from '../os/close-quietly.ts';
import type { Child, Descriptor, Machine } from '../os/ports.ts';

/** How long an abandoned command has between TERM and KILL. */
const GRACE_MS = 5000;
/** And how long a killed one is waited for: where nobody collects the dead, it would seem to be there for ever. */
const KILLED_MS = 1000;
/** How often the watchdog looks whether the command is gone: in the shell, ten times a second. */
const LOOK_MS = 100;

/**
 * Descriptor 0 is a pipe that never brings a byte: it ends when we do. 3 is the note: a file in memory, its one line
 * whom to end, as kill takes it (minus a group, or a process), or 0. (The number does not go through the pipe, for that would wake the shell
 * twice for every job.)
 */
const script = (graceMs: number) => `
trap '' TERM INT HUP QUIT
read -r nothing
read -r target <&3
[ "$target" -ne 0 ] || exit 0
kill -TERM "$target" 2>/dev/null || exit 0
tenths=0
while [ "$tenths" -lt ${(graceMs + KILLED_MS) / LOOK_MS} ] && kill -0 "$target" 2>/dev/null; do
  [ "$tenths" -lt ${graceMs / LOOK_MS} ] || kill -KILL "$target" 2>/dev/null
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

/**
 * Starts the watchdog. `lock` is kept by it until nothing that it guards is left. `graceMs`, in hundreds, is how
 * long an abandoned command has between TERM and KILL.
 */
export async function startWatchdog(
  machine: Machine,
  lock?: Descriptor,
  graceMs = GRACE_MS,
): Promise<Watchdog> {
  const { files, processes, host } = machine;
  const { readEnd, writeEnd } = await processes.pipe();
  const kept = [writeEnd];
  const handed = [readEnd];
  try {
    const nowhere = await files.open('/dev/null', 'truncate');
    handed.push(nowhere);
    const note = await processes.scratch();
    kept.push(note);
    const write = async (target: number) => {
      await files.writeAt(note, encodeBytes(`${String(target).padEnd(NOTE_WIDTH)}\n`), 0);
    };
    await write(0);
    const shell = await processes.spawn({
      program: '/bin/sh',
      args: ['-c', script(graceMs), 'intray-watchdog'],
      env: host.env(),
      stdin: readEnd,
      stdout: nowhere,
      stderr: nowhere,
      extra: lock === undefined ? [note] : [note, lock],
    });
    return {
      guard: (child) => write(child.target),
      rest: () => write(0),
      dismiss: async () => {
        await files.close(writeEnd);
        await shell.exit;
        await files.close(note);
      },
    };
  } catch (error) {
    for (const descriptor of kept) await closeQuietly(files, descriptor);
    throw error;
  } finally {
    for (const descriptor of handed) await closeQuietly(files, descriptor);
  }
}
