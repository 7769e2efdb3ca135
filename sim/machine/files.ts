/** The file port of one simulated process. */

import type { Descriptor, FileKind, FileStatus, Files, OpenMode } from '../../src/os/ports.ts';
import type { FileNode, Node } from './disk.ts';
import { errno } from './errno.ts';
import type { OpenFile, Pipe, Target } from './open-file.ts';
import type { Call, SimProcess, World } from './world.ts';

const NOWHERE = '/dev/null';
/** What a pipe takes before its writer has to wait; Linux's default. */
const PIPE_BYTES = 65_536;
/** Of a disk that is never full; a full one is a fault of the call that meets it. */
const SPACE = { type: 0n, size: 1n << 40n, free: 1n << 40n, inodes: 0n, freeInodes: 0n };

export function simulatedFiles(world: World, process: SimProcess): Files {
  const { disk } = process.host;
  const held = (descriptor: Descriptor, name: string): OpenFile => {
    const file = process.descriptors.get(descriptor);
    if (file === undefined) throw errno('EBADF', name);
    return file;
  };
  const callOn = (name: string, descriptor: Descriptor): Call => {
    const target = process.descriptors.get(descriptor)?.target;
    return { name, path: target?.kind === 'node' ? target.path : (target?.kind ?? '') };
  };

  const open = (path: string, mode: OpenMode): Descriptor => {
    if (path === NOWHERE) return give(process, { kind: 'nowhere' }, true);
    const { parent, name, node } = disk.place(path, 'open');
    if (node === undefined) {
      if (mode !== 'create' && mode !== 'truncate' && mode !== 'lock') throw errno('ENOENT', 'open', path);
      const made = disk.newFile();
      disk.add(parent, name, made);
      world.watches.changed(process.host, parent);
      return give(process, { kind: 'node', node: made, path }, true);
    }
    if (mode === 'create') throw errno('EEXIST', 'open', path);
    if (mode === 'directory' && node.kind !== 'directory') throw errno('ENOTDIR', 'open', path);
    const writes = mode === 'truncate' || mode === 'lock' || mode === 'lock-present';
    if (writes && node.kind === 'directory') throw errno('EISDIR', 'open', path);
    if (mode === 'truncate' && node.kind === 'file') disk.replace(node, new Uint8Array(0), world.nowMs);
    return give(process, { kind: 'node', node, path }, writes);
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
  const readable = (descriptor: Descriptor) => () => {
    const target = process.descriptors.get(descriptor)?.target;
    return target?.kind !== 'pipe' || target.pipe.bytes.length > 0 || target.pipe.writers === 0;
  };

  const write = (descriptor: Descriptor, bytes: Uint8Array, position?: number): void => {
    const file = held(descriptor, 'write');
    if (file.target.kind === 'nowhere') return;
    if (!file.writable) throw errno('EBADF', 'write');
    if (file.target.kind === 'pipe') {
      if (file.target.pipe.readers === 0) throw errno('EPIPE', 'write');
      file.target.pipe.bytes.push(...bytes);
      return;
    }
    disk.write(regular(file.target.node, 'write'), bytes, position ?? file.position, world.nowMs);
    if (position === undefined) file.position += bytes.length;
  };
  const writable = (descriptor: Descriptor) => () => {
    const target = process.descriptors.get(descriptor)?.target;
    return target?.kind !== 'pipe' || target.pipe.bytes.length < PIPE_BYTES || target.pipe.readers === 0;
  };

  const nodeOf = (descriptor: Descriptor, name: string): Node | undefined => {
    const { target } = held(descriptor, name);
    return target.kind === 'node' ? target.node : undefined;
  };
  const fsync = (descriptor: Descriptor) => {
    const node = nodeOf(descriptor, 'fsync');
    if (node === undefined) throw errno('EINVAL', 'fsync');
    disk.fsync(node);
  };
  const failSync = (descriptor: Descriptor) => () => {
    const node = nodeOf(descriptor, 'fsync');
    if (node !== undefined) disk.failSync(node);
  };

  const changed = (...directories: Node[]) => {
    for (const directory of directories) world.watches.changed(process.host, directory);
  };
  const rename = (from: string, to: string) => {
    const source = disk.place(from, 'rename');
    const target = disk.place(to, 'rename');
    if (source.node === undefined) throw errno('ENOENT', 'rename', from);
    if (target.node?.kind === 'directory') throw errno('EISDIR', 'rename', to);
    if (source.node === target.node) return;
    disk.rename(source, target, source.node);
    changed(source.parent, target.parent);
    world.watches.gone(process.host, source.node);
  };
  const link = (existing: string, added: string) => {
    const node = regular(disk.find(existing, 'link'), 'link');
    const target = disk.place(added, 'link');
    if (target.node !== undefined) throw errno('EEXIST', 'link', added);
    disk.add(target.parent, target.name, node);
    changed(target.parent);
  };
  const unlink = (path: string) => {
    const { parent, name, node } = disk.place(path, 'unlink');
    if (node === undefined) throw errno('ENOENT', 'unlink', path);
    if (node.kind === 'directory') throw errno('EISDIR', 'unlink', path);
    disk.remove(parent, name);
    changed(parent);
  };
  const mkdir = (path: string) => {
    const { parent, name, node } = disk.place(path, 'mkdir');
    if (node !== undefined) throw errno('EEXIST', 'mkdir', path);
    disk.add(parent, name, disk.newDirectory());
    changed(parent);
  };
  const rmdir = (path: string) => {
    const { parent, name, node } = disk.place(path, 'rmdir');
    if (node === undefined) throw errno('ENOENT', 'rmdir', path);
    if (node.kind !== 'directory') throw errno('ENOTDIR', 'rmdir', path);
    if (node.entries.size > 0) throw errno('ENOTEMPTY', 'rmdir', path);
    disk.remove(parent, name);
    changed(parent);
    world.watches.gone(process.host, node);
  };
  const touch = (path: string) => {
    const node = disk.find(path, 'utimensat');
    if (node.kind === 'file') node.modifiedMs = world.nowMs;
  };
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
    open: (path, mode) =>
      world.step(process, { name: mode === 'directory' ? 'opendir' : 'open', path }, () => open(path, mode)),
    // The kernel gives the descriptor back even when close(2) reports an error.
    close: (at) =>
      world.step(
        process,
        callOn('close', at),
        () => close(at),
        undefined,
        () => close(at),
      ),
    read: (at, buffer, offset, length) =>
      world.step(process, callOn('read', at), () => read(at, buffer, offset, length), readable(at)),
    readAside: async (at, buffer, offset, length) =>
      world.step(process, callOn('readAside', at), () => read(at, buffer, offset, length), readable(at)),
    write: (at, bytes) => world.step(process, callOn('write', at), () => write(at, bytes), writable(at)),
    writeAt: (at, bytes, position) =>
      world.step(process, callOn('writeAt', at), () => write(at, bytes, position)),
    fsync: (at) => world.step(process, callOn('fsync', at), () => fsync(at), undefined, failSync(at)),
    fsyncAside: async (at) =>
      world.step(process, callOn('fsyncAside', at), () => fsync(at), undefined, failSync(at)),
    fsyncAll: async (all) => {
      for (const at of all) {
        await world.step(process, callOn('fsync', at), () => fsync(at), undefined, failSync(at));
      }
    },
    fstat: (at) => world.step(process, callOn('fstat', at), () => statusOf(held(at, 'fstat').target)),
    fchmod: (at, mode) => world.step(process, callOn('fchmod', at), () => chmod(at, mode)),
    stat: (path) =>
      world.step(process, { name: 'stat', path }, () =>
        statusOf({ kind: 'node', node: disk.find(path, 'stat'), path }),
      ),
    readdir: (path) =>
      world.step(process, { name: 'readdir', path }, () => {
        const node = disk.find(path, 'readdir');
        if (node.kind !== 'directory') throw errno('ENOTDIR', 'readdir', path);
        return Array.from(node.entries, ([name, { kind }]) => ({ name, kind }));
      }),
    rename: (from, to) =>
      world.step(process, { name: 'rename', path: `${from} -> ${to}` }, () => rename(from, to)),
    link: (existing, added) =>
      world.step(process, { name: 'link', path: `${existing} -> ${added}` }, () => link(existing, added)),
    unlink: (path) => world.step(process, { name: 'unlink', path }, () => unlink(path)),
    mkdir: (path) => world.step(process, { name: 'mkdir', path }, () => mkdir(path)),
    rmdir: (path) => world.step(process, { name: 'rmdir', path }, () => rmdir(path)),
    touch: (path) => world.step(process, { name: 'utimensat', path }, () => touch(path)),
    statfs: (path) =>
      world.step(process, { name: 'statfs', path }, () => {
        disk.find(path, 'statfs');
        return SPACE;
      }),
  };
}

/** Puts an open file at the lowest free number from 3 on. */
export function give(process: SimProcess, target: Target, writable: boolean): Descriptor {
  let number = 3;
  while (process.descriptors.has(number)) number += 1;
  process.descriptors.set(number, { target, writable, position: 0, holders: 1 });
  return number as Descriptor;
}

function regular(node: Node, call: string): FileNode {
  if (node.kind !== 'file') throw errno('EISDIR', call);
  return node;
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
  if (node.kind === 'directory') return of('directory', 0, node.mode, node.number, 0);
  return of('file', node.content.length, node.mode, node.number, node.modifiedMs);
}
