/** The file port of one simulated process. */

import {
  type Descriptor,
  type FileKind,
  type FileStatus,
  type Files,
  hasErrno,
  type OpenMode,
  type Step,
} from '../../src/os/ports.ts';
import type { Node, Place } from './disk.ts';
import { errno } from './errno.ts';
import { isStale, namesOf, regular } from './names.ts';
import type { OpenFile, Pipe, Target } from './open-file.ts';
import type { Call, SimProcess, StepOptions, World } from './world.ts';

const NOWHERE = '/dev/null';
/** What a pipe takes before its writer has to wait; Linux's default. */
const PIPE_BYTES = 65_536;
/** Of a disk that is never full; a full one is a fault of the call that meets it. */
const SPACE = { size: 1n << 40n, free: 1n << 40n, inodes: 0n, freeInodes: 0n };
/** linux/magic.h: what statfs says of ext4, and of NFS. */
const EXT4 = 0xef53n;
const NFS = 0x6969n;

export function simulatedFiles(world: World, process: SimProcess): Files {
  const { host } = process;
  const { disk, mount } = host;
  const names = namesOf(world, host);
  const held = (descriptor: Descriptor, name: string): OpenFile => {
    const file = process.descriptors.get(descriptor);
    if (file === undefined) throw errno('EBADF', name);
    if (name !== 'close' && file.target.kind === 'node' && isStale(file.target.node, host)) {
      throw errno('ESTALE', name, file.target.path);
    }
    return file;
  };
  const callOn = (name: string, descriptor: Descriptor): Call => {
    const target = process.descriptors.get(descriptor)?.target;
    return { name, path: target?.kind === 'node' ? target.path : (target?.kind ?? '') };
  };

  const open = (path: string, mode: OpenMode): Descriptor => {
    if (path === NOWHERE) return give(process, { kind: 'nowhere' }, true);
    const writable = mode !== 'read' && mode !== 'read-job' && mode !== 'read-own' && mode !== 'directory';
    return give(process, { kind: 'node', node: names.open(path, mode), path }, writable, mode === 'append');
  };

  const read = (descriptor: Descriptor, buffer: Uint8Array, offset: number, length: number): number => {
    const file = held(descriptor, 'read');
    if (file.target.kind === 'nowhere') return 0;
    if (file.target.kind === 'pipe') return readPipe(file.target.pipe, buffer, offset, length);
    const { content } = regular(file.target.node, 'read');
    const bytes = content.subarray(file.position, file.position + length);
    buffer.set(bytes, offset);
    file.position += bytes.length;
    return bytes.length;
  };
  const readable = (descriptor: Descriptor): StepOptions => ({
    ready: () => {
      const target = process.descriptors.get(descriptor)?.target;
      return target?.kind !== 'pipe' || target.pipe.bytes.length > 0 || target.pipe.writers === 0;
    },
  });

  const write = (descriptor: Descriptor, bytes: Uint8Array, position?: number): void => {
    const file = held(descriptor, 'write');
    if (file.target.kind === 'nowhere') return;
    if (!file.writable) throw errno('EBADF', 'write');
    if (file.target.kind === 'pipe') {
      if (file.target.pipe.readers === 0) throw errno('EPIPE', 'write');
      file.target.pipe.bytes.push(...bytes);
      return;
    }
    const node = regular(file.target.node, 'write');
    disk.write(node, bytes, position ?? (file.appends ? node.content.length : file.position), world.nowMs);
    mount?.touched(node);
    if (position === undefined) file.position += bytes.length;
  };
  const writable = (descriptor: Descriptor): StepOptions => ({
    ready: () => {
      const target = process.descriptors.get(descriptor)?.target;
      return target?.kind !== 'pipe' || target.pipe.bytes.length < PIPE_BYTES || target.pipe.readers === 0;
    },
  });

  const nodeOf = (descriptor: Descriptor, name: string): Node | undefined => {
    const { target } = held(descriptor, name);
    return target.kind === 'node' ? target.node : undefined;
  };
  const fsync = (descriptor: Descriptor) => {
    const node = nodeOf(descriptor, 'fsync');
    if (node === undefined) throw errno('EINVAL', 'fsync');
    disk.fsync(node);
  };
  const failSync = (descriptor: Descriptor): StepOptions => ({
    failed: () => {
      const node = nodeOf(descriptor, 'fsync');
      if (node !== undefined) disk.failSync(node);
    },
  });

  /** A change of names; when its reply gets lost, the host learns nothing of it. */
  const changeNames = (name: string, path: string, change: () => Place[]): Step<void> =>
    world.step(process, { name, path }, () => names.changed(change()), { lost: change });
  const chmod = (descriptor: Descriptor, mode: number) => {
    const { target } = held(descriptor, 'fchmod');
    if (target.kind === 'node') target.node.mode = mode;
    if (target.kind === 'pipe') target.pipe.mode = mode;
    disk.version += 1;
  };
  const close = (descriptor: Descriptor) => {
    const file = held(descriptor, 'close');
    process.descriptors.delete(descriptor);
    world.letGo(file);
  };

  return {
    open: (path, mode) => {
      const name = mode === 'directory' ? 'opendir' : mode === 'create' ? 'create' : 'open';
      const lost = mode === 'create' ? { lost: () => names.create(path) } : {};
      return world.step(process, { name, path }, () => open(path, mode), lost);
    },
    // The kernel gives the descriptor back even when close(2) reports an error.
    close: (at) => world.step(process, callOn('close', at), () => close(at), { failed: () => close(at) }),
    read: (at, buffer, offset, length) =>
      world.step(process, callOn('read', at), () => read(at, buffer, offset, length), readable(at)),
    readAside: async (at, buffer, offset, length) =>
      world.step(process, callOn('readAside', at), () => read(at, buffer, offset, length), readable(at)),
    write: (at, bytes) => world.step(process, callOn('write', at), () => write(at, bytes), writable(at)),
    writeAt: (at, bytes, position) =>
      world.step(process, callOn('writeAt', at), () => write(at, bytes, position)),
    fsync: (at) => world.step(process, callOn('fsync', at), () => fsync(at), failSync(at)),
    fsyncAside: async (at) => world.step(process, callOn('fsyncAside', at), () => fsync(at), failSync(at)),
    fsyncAll: async (all) => {
      for (const at of all) {
        await world.step(process, callOn('fsync', at), () => fsync(at), failSync(at));
      }
    },
    fstat: (at) => world.step(process, callOn('fstat', at), () => statusOf(held(at, 'fstat').target)),
    fchmod: (at, mode) => world.step(process, callOn('fchmod', at), () => chmod(at, mode)),
    stat: (path) =>
      world.step(process, { name: 'stat', path }, () =>
        statusOf({ kind: 'node', node: names.stat(path), path }),
      ),
    exists: (path) =>
      world.step(process, { name: 'stat', path }, () => {
        try {
          names.stat(path);
          return true;
        } catch (error) {
          if (hasErrno(error, 'ENOENT')) return false;
          throw error;
        }
      }),
    readdir: (path) => world.step(process, { name: 'readdir', path }, () => names.list(path)),
    rename: (from, to) => changeNames('rename', `${from} -> ${to}`, () => names.rename(from, to)),
    link: (existing, added) =>
      changeNames('link', `${existing} -> ${added}`, () => names.link(existing, added)),
    unlink: (path) => changeNames('unlink', path, () => names.unlink(path)),
    mkdir: (path) => changeNames('mkdir', path, () => names.mkdir(path)),
    rmdir: (path) => changeNames('rmdir', path, () => names.rmdir(path)),
    touch: (path) => world.step(process, { name: 'utimensat', path }, () => names.touch(path)),
    realPath: (path) => world.step(process, { name: 'realpath', path }, () => path),
    statfs: (path) =>
      world.step(process, { name: 'statfs', path }, () => {
        disk.find(path, 'statfs');
        return { ...SPACE, type: mount === undefined ? EXT4 : NFS };
      }),
  };
}

/** Puts an open file at the lowest free number from 3 on. */
export function give(process: SimProcess, target: Target, writable: boolean, appends = false): Descriptor {
  let number = 3;
  while (process.descriptors.has(number)) number += 1;
  process.descriptors.set(number, {
    host: process.host.name,
    target,
    writable,
    appends,
    position: 0,
    holders: 1,
  });
  return number as Descriptor;
}

function readPipe({ bytes }: Pipe, buffer: Uint8Array, offset: number, length: number): number {
  const taken = bytes.splice(0, length);
  buffer.set(taken, offset);
  return taken.length;
}

function statusOf(target: Target): FileStatus {
  const of = (kind: FileKind, size: number, mode: number, inode: number, modifiedMs: number) => ({
    kind,
    size,
    mode,
    inode: BigInt(inode),
    device: 1n,
    modifiedMs,
  });
  if (target.kind === 'nowhere') return of('device', 0, 0o666, 0, 0);
  if (target.kind === 'pipe') return of('fifo', target.pipe.bytes.length, target.pipe.mode, 0, 0);
  const { node } = target;
  if (node.kind === 'directory') return of('directory', 0, node.mode, node.number, node.modifiedMs);
  const { links } = node;
  return { ...of('file', node.content.length, node.mode, node.number, node.modifiedMs), links };
}
