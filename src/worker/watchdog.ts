/**
 * Ends a command whose processor was killed with a signal that nobody can catch.
 *
 *     processor                         watchdog (a shell)              command
 *     ---------                         ------------------              -------
 *     takes the queue's lock
 *     starts the watchdog, handing it   waits for a line
 *       a pipe and the lock
 *     starts the command                                                runs, in a group of its own
 *     writes the group's number         remembers it
 *     is killed -9                      end of file on the pipe         runs on, nobody waits for it
 *                                       TERM, later KILL to the group   ends
 *                                       ends: only now the lock is free
 *
 * So a second processor, started at once by cron, cannot run the job while its first run is still going on. Only
 * if the processor is killed in the microseconds between the start of the command and the write to the pipe does
 * the command live on unguarded.
 */

import { encodeBytes } from '../os/bytes.ts';
import type { Child, Descriptor, Machine } from '../os/ports.ts';
import { hasErrno } from '../os/ports.ts';

/** Tenths of a second that an abandoned command has between TERM and KILL. */
const GRACE_TENTHS = 50;

const SCRIPT = `
trap '' TERM INT HUP QUIT PIPE
group=
while read -r line; do group=$line; done
[ -n "$group" ] || exit 0
kill -TERM -- "-$group" 2>/dev/null || exit 0
tenths=0
while kill -0 -- "-$group" 2>/dev/null; do
  [ "$tenths" -lt ${GRACE_TENTHS} ] || kill -KILL -- "-$group" 2>/dev/null
  tenths=$((tenths + 1))
  sleep 0.1 2>/dev/null || sleep 1
done`;

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
  let shell: Child;
  try {
    shell = await processes.spawn({
      program: '/bin/sh',
      args: ['-c', SCRIPT, 'intray-watchdog'],
      env: host.env(),
      stdin: readEnd,
      stdout: nowhere,
      stderr: nowhere,
      ...(lock === undefined ? {} : { extra: lock }),
    });
  } catch (error) {
    await files.close(writeEnd);
    throw error;
  } finally {
    await files.close(readEnd);
    await files.close(nowhere);
  }
  const say = async (line: string) => {
    try {
      await files.write(writeEnd, encodeBytes(`${line}\n`));
    } catch (error) {
      if (!hasErrno(error, 'EPIPE')) throw error; // somebody killed the watchdog: go on without
    }
  };
  return {
    guard: (child) => say(String(child.pid)),
    rest: () => say(''),
    dismiss: async () => {
      await files.close(writeEnd);
      await shell.exit;
    },
  };
}
