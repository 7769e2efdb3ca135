import { encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Machine, STDERR } from '../os/ports.ts';
import { bothTo } from '../worker/job-command.ts';
import { runCommand } from '../worker/run-command.ts';
import { startWatchdog } from '../worker/watchdog.ts';
import { type Notice, noticeVariables, type Posted } from './notice.ts';

/** After this it is killed, and tried again. */
const TIMEOUT_MS = 60_000;

/** Runs a shell line with the notice as its input and in its variables. Throws when that did not end with 0. */
export async function runNoticeCommand(
  machine: Machine,
  line: string,
  { id, body }: Posted,
  stop: AbortSignal,
): Promise<void> {
  const { files, host, processes } = machine;
  const variables = noticeVariables(id, JSON.parse(body) as Notice);
  const input = await processes.scratch();
  const watchdog = await startWatchdog(machine);
  try {
    await files.writeAt(input, encodeBytes(body), 0);
    const command = {
      program: '/bin/sh',
      args: ['-c', line],
      env: new Map([...host.env(), ...variables]),
      stdin: input,
      ...bothTo(STDERR),
    };
    const outcome = await runCommand(machine, command, { timeoutMs: TIMEOUT_MS, stop, watchdog });
    if (outcome.kind === 'stopped') throw new Error('it was stopped');
    if (outcome.kind === 'failed') throw new Error(`the command to tell of it failed: ${outcome.reason}`);
  } finally {
    await watchdog.dismiss();
    await closeQuietly(files, input);
  }
}
