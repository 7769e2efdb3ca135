/** The real machine, asked by other means than ours. Free of the test runner: bun-probe.ts runs it by itself. */

import fs from 'node:fs';
import { join } from 'node:path';
import { decodeBytes } from '../../src/os/bytes.ts';
import { type Child, type Command, type Descriptor, type Exit, hasErrno } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { readExactly } from '../../src/os/transfer.ts';

const { files, processes } = realMachine;

/** Children of this process, ended ones that nobody waited for included. */
export function childPids(): number[] {
  const own: number[] = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = readProcess(Number(pid));
    if (stat?.parent === process.pid) own.push(Number(pid));
  }
  return own;
}

export function readProcess(pid: number): { parent: number; group: number } | undefined {
  try {
    return parseStat(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** proc(5): the name in parentheses may hold anything; state, parent and group follow it. */
export function parseStat(stat: string): { parent: number; group: number } {
  const [, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(parent), group: Number(group) };
}

/** What is open here: `number target`. */
export function openDescriptors(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return [`${number} ${fs.readlinkSync(`/proc/self/fd/${number}`)}`];
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return []; // the one that read the directory
      throw error;
    }
  });
}

/** Flags of open(2) a descriptor has. */
export function flagsOf(descriptor: Descriptor): number {
  const info = fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
  return Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '', 8);
}

/** Opens a FIFO as a job found in a directory, having made sure that this cannot hang the tests for ever. */
export async function openFifo(path: string): Promise<Descriptor> {
  const harmless = await files.open('/dev/null', 'read-job');
  const flags = flagsOf(harmless);
  await files.close(harmless);
  if ((flags & fs.constants.O_NONBLOCK) === 0)
    throw new Error('read-job would wait for the writer of a FIFO');
  return files.open(path, 'read-job');
}

export type CommandLike = Pick<Command, 'program' | 'args'> & Partial<Command>;

export async function start(command: CommandLike): Promise<Child> {
  return processes.spawn({ env: new Map([['PATH', process.env.PATH ?? '']]), ...command });
}

/** Runs a command to its end; its standard output goes through a file in `directory`. */
export async function run(
  directory: string,
  command: CommandLike,
): Promise<{ exit: Exit; pid: number; bytes: Uint8Array; output: string }> {
  const path = join(directory, 'output');
  const stdout = await files.open(path, 'truncate');
  let child: Child;
  try {
    child = await start({ ...command, stdout });
  } finally {
    await files.close(stdout);
  }
  const exit = await child.exit;
  const bytes = Uint8Array.from(fs.readFileSync(path));
  fs.unlinkSync(path);
  return { exit, pid: child.pid, bytes, output: decodeBytes(bytes) };
}

export async function shell(script: string): Promise<Exit> {
  return (await start({ program: 'sh', args: ['-c', script] })).exit;
}

/** The errno name with which a command cannot be started. */
export async function refusal(command: CommandLike): Promise<string> {
  try {
    await (await start(command)).exit;
  } catch (error) {
    return hasErrno(error, (error as { code: string }).code) ? (error as { code: string }).code : 'no errno';
  }
  return 'it ran';
}

export type Holder = { readonly child: Child; release(): Promise<Exit> };

/**
 * Starts a command that ends by being `cat` and waits until it is: the byte sent comes back. It ends when
 * released.
 */
export async function startHolder(command: CommandLike): Promise<Holder> {
  const input = await processes.pipe();
  const output = await processes.pipe();
  const child = await start({ ...command, stdin: input.readEnd, stdout: output.writeEnd });
  await files.close(input.readEnd);
  await files.close(output.writeEnd);
  await files.write(input.writeEnd, Uint8Array.of(1));
  const answer = await readExactly(files, output.readEnd, 1);
  await files.close(output.readEnd);
  if (answer.length === 0) throw new Error(`${command.program} ended before it was asked to`);
  const release = async () => {
    await files.close(input.writeEnd);
    return child.exit;
  };
  return { child, release };
}

/** Another program, flock(1) of util-linux, that holds a lock on a file. One process: no heir outlives it. */
export function holdWithFlock(path: string, kind: 'exclusive' | 'shared'): Promise<Holder> {
  return startHolder({ program: 'flock', args: ['--nonblock', '--no-fork', `--${kind}`, path, 'cat'] });
}

/** Whether flock(1) gets the lock. */
export async function flockGets(path: string, kind: 'exclusive' | 'shared'): Promise<boolean> {
  const child = await start({ program: 'flock', args: ['--nonblock', `--${kind}`, path, 'true'] });
  const exit = await child.exit;
  return exit.kind === 'exited' && exit.code === 0;
}
