/**
 * Ends a command whose processor was killed with a signal that nobody can catch.
 *
 *     processor                         watchdog (a shell)              command
 *     ---------                         ------------------              -------
 *     takes the queue's lock
 *     starts the watchdog, handing it   waits for the end of the pipe
 *       a pipe, a note and the lock
 *     notes: starting
 *     starts the command                                                runs, in a group of its own
 *     notes the group's number
 *     is killed -9                      end of file on the pipe         runs on, nobody waits for it
 *                                       reads the note
 *                                       TERM, later KILL to the group   ends
 *                                       ends: only now the lock is free
 *
 * So a second processor, started at once by cron, cannot run the job while its first run is still going on.
 *
 * If the note says no more than `starting`, the watchdog looks for the command itself. Both are orphans now, with the
 * same foster parent; they are of the same session; and the command leads a group and is younger than the watchdog. Where
 * one processor ran several commands, each with its watchdog, that holds for more than one: they have all lost their
 * processor and are to end, so it ends all of them, other watchdogs excepted.
 * (A command that shares our terminal leads no group: one whose processor is killed in that moment lives on.)
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
 * whom to end, as kill takes it (minus a group, or a process), or 0, or `starting`. (It does not go through the
 * pipe, for that would wake the shell twice for every job.) The fields of /proc/PID/stat behind the name of the
 * program are: 2 the parent, 3 the group, 4 the session, 20 the time of the start. By the first line of this script,
 * which is in its command line, a watchdog is known to others.
 */
const script = (graceMs: number) => `: intray-watchdog
trap '' TERM INT HUP QUIT
read -r nothing
read -r target <&3
look() { read -r line 2>/dev/null < "/proc/$1/stat" && set -- \${line##*) } && parent=$2 group=$3 session=$4 start=\${20}; }
is_watchdog() {
  line=
  read -r line 2>/dev/null < "/proc/$1/cmdline"
  case $line in *': intray-watchdog') return 0;; esac
  return 1
}
find_commands() {
  targets=
  look $$
  family=$parent/$session since=$start
  for directory in /proc/[0-9]*; do
    pid=\${directory#/proc/}
    [ "$pid" != $$ ] && look "$pid" && [ "$group" = "$pid" ] || continue
    [ "$parent/$session" = "$family" ] && [ "$start" -ge "$since" ] || continue
    is_watchdog "$pid" || targets="$targets -$pid"
  done
}
send() {
  reached=1
  for target in $targets; do kill "$1" "$target" 2>/dev/null && reached=0; done
  return $reached
}
targets=$target
if [ "$target" = starting ]; then
  find_commands
  send -TERM
  # One may not have been in its group yet, or not yet with the foster parent: so once more, a moment later.
  sleep 0.1 2>/dev/null || sleep 1
  find_commands
fi
[ "$targets" != 0 ] && send -TERM || exit 0
tenths=0
while [ "$tenths" -lt ${(graceMs + KILLED_MS) / LOOK_MS} ] && send -0; do
  [ "$tenths" -lt ${graceMs / LOOK_MS} ] || send -KILL
  tenths=$((tenths + 1))
  sleep 0.1 2>/dev/null || sleep 1
done`;

/** Digits of the note, so that each line covers the one before. */
const NOTE_WIDTH = 12;

export interface Watchdog {
  /** Says that a command is about to be started. */
  starting(): Promise<void>;
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
    const write = async (target: number | 'starting') => {
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
      starting: () => write('starting'),
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
