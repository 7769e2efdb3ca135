/** All ports of one simulated process. */

import type { Machine } from '../../src/os/ports.ts';
import { errno } from './errno.ts';
import { simulatedFiles } from './files.ts';
import { type Programs, sendSignal, simulatedProcesses } from './processes.ts';
import type { SimProcess, World } from './world.ts';

/** Changes the ports of every process: where deliberate faults are planted. */
export type Wrap = (machine: Machine) => Machine;

export function machineFor(
  world: World,
  process: SimProcess,
  programs: Programs = new Map(),
  wrap: Wrap = (machine) => machine,
): Machine {
  const openFile = (descriptor: number) => {
    const file = process.descriptors.get(descriptor);
    if (file === undefined) throw errno('EBADF', 'flock');
    return file;
  };
  return wrap({
    files: simulatedFiles(world, process),
    watches: {
      watch: (directory, listener) =>
        world.step(process, { name: 'watch', path: directory }, () => {
          const node = process.host.disk.find(directory, 'watch');
          if (node.kind !== 'directory') throw errno('ENOTDIR', 'watch', directory);
          return world.watches.add(process, node, directory, listener);
        }),
    },
    locks: {
      tryLock: (descriptor, kind) =>
        world.step(process, { name: 'tryLock', path: '' }, () =>
          world.locks.tryLock(openFile(descriptor), kind),
        ),
      unlock: (descriptor) =>
        world.step(process, { name: 'unlock', path: '' }, () => world.locks.unlock(openFile(descriptor))),
    },
    processes: simulatedProcesses(world, process, programs, (child) =>
      machineFor(world, child, programs, wrap),
    ),
    clock: {
      now: () => world.now(process.host),
      monotonicMs: () => world.nowMs,
      after: (ms, action) => world.after(process, ms, action),
      utcOffsetSeconds: () => 0,
    },
    random: { uuid: () => uuid(process) },
    host: {
      name: process.host.name,
      pid: process.pid,
      bootId: process.host.bootId ?? process.host.name,
      env: () => new Map([['PATH', '/bin']]),
      onSignal: (signal, handler) => {
        const handlers = process.handlers.get(signal) ?? new Set();
        process.handlers.set(signal, handlers.add(handler));
        return () => void handlers.delete(handler);
      },
      inForeground: () => false,
      isTerminal: () => false,
      dieOf: (signal) => void sendSignal(world, process.pid, signal),
    },
  });
}

function uuid({ chance }: SimProcess): string {
  const hex = (digits: number) =>
    chance
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}
