/**
 * Commands of a simulated machine: functions, found by name.
 *
 * A command runs as a process of its own, with the descriptors it was given and a machine of its own. It ends when
 * its function returns (exit code), or by a signal that it has not asked to handle. Children outlive their parent.
 */

import type { Child, Command, Descriptor, Exit, Machine, Processes, SignalName } from '../../src/os/ports.ts';
import { errno } from './errno.ts';
import { give } from './files.ts';
import type { OpenFile, Pipe } from './open-file.ts';
import type { SimProcess, World } from './world.ts';

export type System = {
  readonly machine: Machine;
  readonly process: SimProcess;
  readonly command: Command;
  /** kill(2): a process, or minus a group. False: nobody is left. */
  kill(target: number, signal: SignalName | 0): boolean;
  sleep(ms: number): Promise<void>;
};

/** Resolves with its exit code. */
export type Program = (system: System) => Promise<number>;

export type Programs = ReadonlyMap<string, Program>;

const SIGNAL_NUMBERS: Record<SignalName, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGTERM: 15,
};

export function simulatedProcesses(
  world: World,
  process: SimProcess,
  programs: Programs,
  machineOf: (process: SimProcess) => Machine,
): Processes {
  const inherited = (descriptor: Descriptor): OpenFile => {
    const file = process.descriptors.get(descriptor);
    if (file === undefined) throw errno('EBADF', 'spawn');
    return file;
  };
  const spawn = (command: Command): Child => {
    const program = programs.get(command.program);
    if (program === undefined) throw errno('ENOENT', 'spawn', command.program);
    const { stdin = 0 as Descriptor, stdout = 1 as Descriptor, stderr = 2 as Descriptor } = command;
    const files = [stdin, stdout, stderr, ...(command.extra ?? [])].map(inherited);
    const group = command.group === 'ours' ? process.group : undefined;
    const child = world.newProcess(process.host, command.program, group);
    child.descriptors.clear();
    files.forEach((file, number) => {
      file.holders += 1;
      child.descriptors.set(number, file);
    });
    const machine = machineOf(child);
    start(world, child, () => program({ machine, process: child, command, ...systemOf(world, machine) }));
    return {
      pid: child.pid,
      exit: exitOf(world, process, child),
      target: command.group === 'ours' ? child.pid : -child.group,
      signalGroup: (signal) =>
        world.step(process, { name: `kill ${signal}`, path: String(child.group) }, () =>
          sendSignal(world, command.group === 'ours' ? child.pid : -child.group, signal),
        ),
      groupExists: () =>
        world.step(process, { name: 'kill 0', path: String(child.group) }, () =>
          sendSignal(world, command.group === 'ours' ? child.pid : -child.group, 0),
        ),
    };
  };
  return {
    spawn: (command) => world.step(process, { name: 'spawn', path: command.program }, () => spawn(command)),
    exists: (pid) =>
      world.step(process, { name: 'kill 0', path: String(pid) }, () =>
        world.processes.some(
          (other) => other.alive && other.pid === pid && other.host.name === process.host.name,
        ),
      ),
    scratch: () =>
      world.step(process, { name: 'scratch', path: '' }, () => {
        const node = process.host.disk.newFile();
        return give(process, { kind: 'node', node, path: 'scratch' }, true);
      }),
    pipe: () =>
      world.step(process, { name: 'pipe', path: '' }, () => {
        const pipe: Pipe = { bytes: [], mode: 0o600, readers: 1, writers: 1 };
        const readEnd = give(process, { kind: 'pipe', pipe, end: 'read' }, false);
        return { readEnd, writeEnd: give(process, { kind: 'pipe', pipe, end: 'write' }, true) };
      }),
  };
}

/** Runs a process's main function; the process ends with it. An error is exit code 70. */
export function start(world: World, process: SimProcess, main: () => Promise<number>): void {
  const begin = Promise.resolve().then(() => (process.alive ? main() : 0));
  begin.then(
    (code) => world.end(process, { kind: 'exited', code }),
    () => world.end(process, { kind: 'exited', code: 70 }),
  );
}

function systemOf(world: World, { clock }: Machine): Pick<System, 'kill' | 'sleep'> {
  return {
    kill: (target, signal) => sendSignal(world, target, signal),
    sleep: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
  };
}

/** The parent learns of the end in a step of its own: it may be told late, or die before. */
function exitOf(world: World, parent: SimProcess, child: SimProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.onExit.push((exit) => {
      void Promise.resolve(world.step(parent, { name: 'wait', path: child.label }, () => exit)).then(resolve);
    });
  });
}

export function sendSignal(world: World, target: number, signal: SignalName | 0): boolean {
  const reached = world.processes.filter(
    ({ alive, pid, group }) => alive && (target < 0 ? group === -target : pid === target),
  );
  if (signal === 0) return reached.length > 0;
  for (const process of reached) {
    const handlers = signal === 'SIGKILL' ? undefined : process.handlers.get(signal);
    if (handlers === undefined || handlers.size === 0) {
      world.end(process, { kind: 'signaled', signal: SIGNAL_NUMBERS[signal] });
    } else {
      for (const handler of handlers) handler();
    }
  }
  return reached.length > 0;
}
