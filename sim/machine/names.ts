/**
 * Calls on names, as one host makes them: on a disk of its own, or over the network through its `Mount`.
 *
 * A change of names has two parts: what happens on the disk, and what the host learns from the reply. When only the
 * reply gets lost, the first has happened and the second has not.
 */

import type { DirectoryEntry, OpenMode } from '../../src/os/ports.ts';
import type { DirectoryNode, FileNode, Node, Place } from './disk.ts';
import { errno } from './errno.ts';
import type { SimHost, World } from './world.ts';

const EMPTY = new Uint8Array(0);

export type Names = ReturnType<typeof namesOf>;

export function namesOf(world: World, host: SimHost) {
  const { disk, mount } = host;
  /** What this host believes before it asks: a name that it knows to be missing is not even asked for. */
  const believed = (place: Place): Node | undefined =>
    mount === undefined ? place.node : mount.lookUp(place);
  const learned = (places: readonly Place[]) => {
    for (const place of places) mount?.told(place, place.parent.entries.get(place.name));
  };
  /** A change of names was done, and this host has been told so: so are its watchers. */
  const changed = (places: readonly Place[]) => {
    learned(places);
    for (const { parent, name, node } of places) {
      world.watches.changed(host, parent);
      if (node?.kind === 'directory' && parent.entries.get(name) !== node) world.watches.gone(host, node);
    }
  };

  const create = (path: string): Place[] => {
    const place = disk.place(path, 'open');
    if (place.node !== undefined) throw errno('EEXIST', 'open', path);
    disk.add(place.parent, place.name, disk.newFile(EMPTY, undefined, world.nowMs), world.nowMs);
    return [place];
  };
  const rename = (from: string, to: string): Place[] => {
    const source = disk.place(from, 'rename');
    const target = disk.place(to, 'rename');
    believed(target); // the client looks up both names before it asks for the rename
    if (believed(source) === undefined || source.node === undefined) throw errno('ENOENT', 'rename', from);
    if (target.node?.kind === 'directory') throw errno('EISDIR', 'rename', to);
    if (source.node !== target.node) disk.rename(source, target, source.node, host.name, world.nowMs);
    return [source, target];
  };
  const link = (existing: string, added: string): Place[] => {
    const source = disk.place(existing, 'link');
    const target = disk.place(added, 'link');
    if (believed(source) === undefined) throw errno('ENOENT', 'link', existing);
    if (believed(target) !== undefined || target.node !== undefined) throw errno('EEXIST', 'link', added);
    disk.add(target.parent, target.name, regular(source.node, 'link'), world.nowMs);
    return [target];
  };
  const unlink = (path: string): Place[] => {
    const place = disk.place(path, 'unlink');
    if (believed(place) === undefined || place.node === undefined) throw errno('ENOENT', 'unlink', path);
    if (place.node.kind === 'directory') throw errno('EISDIR', 'unlink', path);
    disk.remove(place.parent, place.name, host.name, world.nowMs);
    return [place];
  };
  const mkdir = (path: string): Place[] => {
    const place = disk.place(path, 'mkdir');
    if (believed(place) !== undefined || place.node !== undefined) throw errno('EEXIST', 'mkdir', path);
    disk.add(place.parent, place.name, disk.newDirectory(), world.nowMs);
    return [place];
  };
  const rmdir = (path: string): Place[] => {
    const place = disk.place(path, 'rmdir');
    if (believed(place) === undefined || place.node === undefined) throw errno('ENOENT', 'rmdir', path);
    if (place.node.kind !== 'directory') throw errno('ENOTDIR', 'rmdir', path);
    if (place.node.entries.size > 0) throw errno('ENOTEMPTY', 'rmdir', path);
    disk.remove(place.parent, place.name, host.name, world.nowMs);
    return [place];
  };
  /** By the clock of whoever keeps the file, which `nowMs` is: not by this host's own. */
  const touch = (path: string): void => {
    const place = disk.place(path, 'utimensat');
    // What is believed to be there is asked of the server, which knows the file itself; a lost one is looked up anew.
    const node = believed(place) === undefined ? undefined : place.node;
    if (mount !== undefined) mount.told(place, place.node);
    if (node === undefined) throw errno('ENOENT', 'utimensat', path);
    disk.touch(node, world.nowMs);
    if (node.kind === 'file') mount?.touched(node);
  };

  /** The node to open, made when the mode makes it. */
  const open = (path: string, mode: OpenMode): Node => {
    if (mode === 'create') {
      changed(create(path));
      return disk.find(path, 'open');
    }
    const place = disk.place(path, 'open');
    const makes = mode === 'truncate' || mode === 'lock' || mode === 'append';
    if (place.node === undefined && makes) {
      const made = disk.newFile(EMPTY, undefined, world.nowMs);
      disk.add(place.parent, place.name, made, world.nowMs);
      changed([place]);
      return made;
    }
    const node = makes || mount === undefined ? place.node : mount.open(place);
    if (node === undefined) throw errno('ENOENT', 'open', path);
    if (mode === 'directory' && node.kind !== 'directory') throw errno('ENOTDIR', 'open', path);
    if (mode === 'directory' && node.kind === 'directory') mount?.openDirectory(node);
    if ((makes || mode === 'lock-present') && node.kind === 'directory') throw errno('EISDIR', 'open', path);
    if (mode === 'truncate' && node.kind === 'file') {
      disk.replace(node, new Uint8Array(0), world.nowMs);
      mount?.touched(node);
    }
    return node;
  };

  /** What stat is told of, with the attributes that this host believes. */
  const stat = (path: string): Node => {
    const place = disk.place(path, 'stat');
    const node = believed(place);
    if (node === undefined) throw errno('ENOENT', 'stat', path);
    if (mount === undefined || node.kind === 'directory') return node;
    const attributes = mount.attributes(node);
    if (attributes !== undefined) return { ...node, ...attributes };
    learned([place]); // the file it knew under this name is gone: it looks the name up anew
    if (place.node === undefined) throw errno('ENOENT', 'stat', path);
    return place.node;
  };
  const list = (path: string): DirectoryEntry[] => {
    const node = disk.find(path, 'readdir');
    if (node.kind !== 'directory') throw errno('ENOTDIR', 'readdir', path);
    const entries = mount === undefined ? node.entries : mount.list(node);
    return Array.from(entries, ([name, { kind }]) => ({ name, kind }));
  };

  return { create, rename, link, unlink, mkdir, rmdir, touch, open, stat, list, changed };
}

export function regular(node: Node | undefined, call: string): FileNode {
  if (node === undefined) throw errno('ENOENT', call);
  if (node.kind !== 'file') throw errno('EISDIR', call);
  return node;
}

/** Whether a host that has this file open has lost it: another host took its last name away. */
export function isStale(node: FileNode | DirectoryNode, { name, mount }: SimHost): boolean {
  if (mount === undefined || node.kind !== 'file') return false;
  return node.removedBy !== undefined && node.removedBy !== name;
}
