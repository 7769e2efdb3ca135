/** Reaching a relay on another machine through the system's ssh. */

import { closeQuietly } from '../os/close-quietly.ts';
import type { Child, Machine } from '../os/ports.ts';
import { shellQuote } from '../os/shell.ts';
import { exitWithin, stopGroup } from '../os/stop-group.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import type { SshAddress } from './address.ts';
import { type Connection, END_MS, type Ended } from './wire/connection.ts';

export type SshOptions = {
  /** The shell words that run ssh: `ssh -i key`. Default: `ssh`. */
  readonly ssh?: string | undefined;
  /** What is called intray there. Default: `intray`. */
  readonly intray?: string | undefined;
};

/** How long ssh has between TERM and KILL. */
const TERM_MS = 2000;
/** What is lost with a machine that is gone is noticed after three of these. */
const SERVER_ALIVE_SECONDS = 15;

/** Starts `intray relay --serve` there with these options; whether anybody answers is seen later. */
export async function connectBySsh(
  machine: Machine,
  address: SshAddress,
  words: readonly string[],
  { ssh = 'ssh', intray = 'intray' }: SshOptions,
): Promise<Connection> {
  const { files, processes, host } = machine;
  const toThem = await processes.pipe();
  const fromThem = await processes.pipe();
  const remote = [intray, 'relay', '--serve', ...words.map(shellQuote), shellQuote(address.path)].join(' ');
  const args = [
    ...['-T', '-o', 'BatchMode=yes', '-o', `ServerAliveInterval=${SERVER_ALIVE_SECONDS}`],
    ...(address.port === undefined ? [] : ['-p', String(address.port)]),
    ...(address.user === undefined ? [] : ['-l', address.user]),
    ...['--', address.host, remote],
  ];
  let child: Child;
  try {
    child = await processes.spawn({
      program: '/bin/sh',
      args: ['-c', `exec ${ssh} "$@"`, 'sh', ...args],
      env: host.env(),
      stdin: toThem.readEnd,
      stdout: fromThem.writeEnd,
    });
  } catch (error) {
    for (const end of [toThem.writeEnd, fromThem.readEnd]) await closeQuietly(files, end);
    throw new QueueError('command-not-started', `cannot start ${ssh}: ${reasonOf(error)}`, { cause: error });
  } finally {
    for (const end of [toThem.readEnd, fromThem.writeEnd]) await closeQuietly(files, end);
  }
  return {
    input: fromThem.readEnd,
    output: toThem.writeEnd,
    end: async (closed) => {
      const ended = await endOf(machine, child, address);
      await closed;
      return ended;
    },
    cut: () => void child.signalGroup('SIGTERM'),
  };
}

async function endOf({ clock }: Machine, child: Child, { host }: SshAddress): Promise<Ended> {
  const exit = (await exitWithin(clock, child, END_MS)) ?? (await stopGroup(clock, child, TERM_MS));
  if (exit.kind === 'signaled') return {};
  const status = exit.code;
  return { status, why: whyEnded(host, status) };
}

/** The codes are those of ssh(1), of shells, and our own. */
function whyEnded(host: string, status: number): string | undefined {
  if (status === 0) return undefined;
  if (status === 255) return `${host}: it could not be reached, or the connection was cut; ssh has said why`;
  if (status === 127) return `${host}: there is no intray where it is looked for; see --remote-intray`;
  return `${host}: the other side ended with exit code ${status}; it has said why`;
}
