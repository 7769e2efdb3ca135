/**
 * A disk with a cache: what processes see (volatile) and what a power cut leaves for certain (durable).
 *
 * | call               | seen at once | durable after                                                     |
 * |--------------------|--------------|-------------------------------------------------------------------|
 * | write              | yes          | fsync of the file                                                 |
 * | open that creates, |              |                                                                   |
 * | link, unlink,      | yes          | fsync of the directory; one change each                           |
 * | mkdir, rmdir       |              |                                                                   |
 * | rename             | yes          | fsync of either directory; one change, also between two           |
 *
 * A rename between two directories is what parallel workers claim by. What is assumed of it: a power cut leaves it done,
 * or not done, or (`weak`, `torn`) the file under both names, but never under neither. On a disk that is `torn` an fsync of
 * the directory that it leads to makes the new name durable and nothing else, the old one goes by chance; and one of the
 * directory that it leaves makes all names of the disk durable. So does btrfs: test/faults/torn-renames.test.ts asks it.
 *
 * Between the two lies what `crash.ts` enumerates. Contents are never changed in place: a write makes a new array, so
 * that any number of disks can share one. An fsync that fails has lost what it should have kept: the pages count as
 * clean, and a later fsync of the same content says yes without writing it (Linux; "fsyncgate").
 */

import { errno } from './errno.ts';

const EMPTY = new Uint8Array(0);

export type FileNode = {
  readonly kind: 'file';
  readonly number: number;
  mode: number;
  content: Uint8Array;
  durable: Uint8Array;
  /** It has been cut short since its last fsync: nothing of what was durable need be there. */
  isCut?: boolean;
  /** The content that a failed fsync has dropped. */
  dropped: Uint8Array | undefined;
  modifiedMs: number;
  /** How many names it has. */
  links: number;
  /** The host that took its last name away. */
  removedBy: string | undefined;
};

export type DirectoryNode = {
  readonly kind: 'directory';
  readonly number: number;
  mode: number;
  modifiedMs: number;
  readonly entries: Map<string, Node>;
  durable: Map<string, Node>;
  /** In the order they were made. */
  pending: Change[];
};

export type Node = FileNode | DirectoryNode;

export type Change = {
  /** Place in the order of all changes to this disk: the journal of the profile `ordered`. */
  readonly order: number;
  readonly remove?: string;
  readonly add?: { readonly name: string; readonly node: Node };
  /** The other half of a rename between two directories; each half is among the pending of its own. */
  move?: { readonly from: DirectoryNode; readonly to: DirectoryNode };
  /** It was half of such a rename, whose other half is durable. */
  isLeftOver?: boolean;
};

/**
 * `weak`: what POSIX promises and no more. `ordered`: a journal, as ext4 has it: changes of names persist in their
 * order, and any fsync makes all those before it durable. Contents are as free as with `weak` in both. `torn`: as weak, and
 * renames between directories can be halves for longer, see above. `lasting`: the power stays on, and only processes die.
 */
export type Profile = 'weak' | 'torn' | 'ordered' | 'lasting';

export const PROFILES: readonly Profile[] = ['weak', 'torn', 'ordered', 'lasting'];

export type Place = {
  readonly parent: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
};

export class Disk {
  readonly profile: Profile;
  readonly root: DirectoryNode;
  /** Goes up with each change of what a crash could leave. */
  version = 0;
  /** Whether there ever was a rename between two directories. */
  hasMoved = false;
  #nodes = 0;
  #changes = 0;

  constructor(profile: Profile) {
    this.profile = profile;
    this.root = this.newDirectory();
  }

  newFile(content: Uint8Array = EMPTY, mode = 0o644, nowMs = 0): FileNode {
    this.#nodes += 1;
    return {
      kind: 'file',
      number: this.#nodes,
      mode,
      content,
      durable: content,
      dropped: undefined,
      modifiedMs: nowMs,
      links: 0,
      removedBy: undefined,
    };
  }

  newDirectory(): DirectoryNode {
    this.#nodes += 1;
    return {
      kind: 'directory',
      number: this.#nodes,
      mode: 0o755,
      modifiedMs: 0,
      entries: new Map(),
      durable: new Map(),
      pending: [],
    };
  }

  /** How many changes of names there were; the last one's place in their order. */
  get changes(): number {
    return this.#changes;
  }

  /** Throws ENOENT or ENOTDIR for what leads there, not for the last name. */
  place(path: string, call: string): Place {
    const parents: DirectoryNode[] = [this.root];
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    const last = names.pop() ?? '';
    const step = (name: string): Node | undefined => {
      const parent = parents[parents.length - 1] ?? this.root;
      if (name !== '..') return parent.entries.get(name);
      return parents.length > 1 ? parents[parents.length - 2] : this.root;
    };
    for (const name of names) {
      const node = step(name);
      if (node === undefined) throw errno('ENOENT', call, path);
      if (node.kind !== 'directory') throw errno('ENOTDIR', call, path);
      if (name === '..') parents.pop();
      else parents.push(node);
    }
    const parent = parents[parents.length - 1] ?? this.root;
    return { parent, name: last, node: last === '' ? this.root : step(last) };
  }

  /** Throws ENOENT. */
  find(path: string, call: string): Node {
    const { node } = this.place(path, call);
    if (node === undefined) throw errno('ENOENT', call, path);
    return node;
  }

  add(parent: DirectoryNode, name: string, node: Node, nowMs = 0): void {
    parent.entries.set(name, node);
    if (node.kind === 'file') node.links += 1;
    else node.modifiedMs = nowMs;
    parent.modifiedMs = nowMs;
    this.#note(parent, { add: { name, node } });
  }

  /** `by`: the host that does it. */
  remove(parent: DirectoryNode, name: string, by = '', nowMs = 0): void {
    this.#unlinked(parent.entries.get(name), by);
    parent.entries.delete(name);
    parent.modifiedMs = nowMs;
    this.#note(parent, { remove: name });
  }

  rename(from: Place, to: Place, node: Node, by = '', nowMs = 0): void {
    this.#unlinked(to.parent.entries.get(to.name), by);
    from.parent.entries.delete(from.name);
    to.parent.entries.set(to.name, node);
    from.parent.modifiedMs = nowMs;
    to.parent.modifiedMs = nowMs;
    const add = { name: to.name, node };
    if (from.parent === to.parent) {
      this.#note(to.parent, { remove: from.name, add });
    } else {
      const move = { from: from.parent, to: to.parent };
      this.hasMoved = true;
      this.#note(to.parent, { add, move });
      this.#note(from.parent, { remove: from.name, move }, this.#changes);
    }
  }

  write(node: FileNode, bytes: Uint8Array, position: number, nowMs: number): void {
    const end = position + bytes.length;
    const content = new Uint8Array(Math.max(node.content.length, end));
    content.set(node.content);
    content.set(bytes, position);
    this.replace(node, content, nowMs);
  }

  replace(node: FileNode, content: Uint8Array, nowMs: number): void {
    if (content.length < node.content.length) node.isCut = true;
    node.content = content;
    node.modifiedMs = nowMs;
    this.version += 1;
  }

  /** No crash depends on it: times are not part of what is compared. */
  touch(node: Node, nowMs: number): void {
    node.modifiedMs = nowMs;
  }

  fsync(node: Node): void {
    if (node.kind === 'file') {
      if (node.durable === node.content || node.dropped === node.content) return;
      node.durable = node.content;
      node.isCut = false;
      this.version += 1;
    }
    if (this.profile === 'ordered' || this.#commitsAll(node)) this.#commit(this.root, new Set());
    else if (node.kind === 'directory') this.#settle(node);
  }

  #commitsAll(node: Node): boolean {
    if (this.profile !== 'torn' || node.kind !== 'directory') return false;
    return node.pending.some(({ move, isLeftOver = false }) => move?.from === node || isLeftOver);
  }

  /** What an fsync that fails does. */
  failSync(node: Node): void {
    if (node.kind === 'file' && node.content !== node.durable) node.dropped = node.content;
  }

  #unlinked(node: Node | undefined, by: string): void {
    if (node?.kind !== 'file') return;
    node.links -= 1;
    if (node.links === 0) node.removedBy = by;
  }

  #note(parent: DirectoryNode, change: Omit<Change, 'order'>, order = this.#changes + 1): void {
    this.#changes = order;
    this.version += 1;
    parent.pending.push({ ...change, order });
  }

  #settle(directory: DirectoryNode): void {
    const { pending } = directory;
    if (pending.length === 0) return;
    // A directory is gone only when it is empty on the disk too.
    for (const { remove } of pending) {
      const removed = remove === undefined ? undefined : directory.durable.get(remove);
      if (removed?.kind === 'directory' && directory.entries.get(remove ?? '') !== removed)
        this.#settle(removed);
    }
    directory.durable = new Map(directory.entries);
    directory.pending = [];
    this.version += 1;
    for (const change of pending) this.#settleMove(directory, change);
  }

  /** What becomes of a rename between two directories when one of its halves is durable. */
  #settleMove(directory: DirectoryNode, { move, order }: Change): void {
    if (move === undefined) return;
    const isTorn = this.profile === 'torn' && move.to === directory;
    if (!isTorn) this.#settleOther(move.from === directory ? move.to : move.from, order);
    const removal = isTorn && move.from.pending.find((change) => change.order === order);
    if (!removal) return;
    delete removal.move;
    removal.isLeftOver = true;
  }

  /** The other half of a rename that is durable now, with what its own names went through before. */
  #settleOther(directory: DirectoryNode, order: number): void {
    const half = directory.pending.find((change) => change.order === order);
    if (half === undefined) return;
    const name = half.remove ?? half.add?.name;
    const done = (change: Change) =>
      change.order <= order && (change.remove === name || change.add?.name === name);
    const settled = directory.pending.filter(done);
    directory.pending = directory.pending.filter((change) => !done(change));
    for (const change of settled) {
      applyTo(directory.durable, change);
      if (change.order !== order) this.#settleMove(directory, change);
    }
  }

  #commit(directory: DirectoryNode, seen: Set<Node>): void {
    if (seen.has(directory)) return;
    seen.add(directory);
    this.#settle(directory);
    for (const node of directory.entries.values()) if (node.kind === 'directory') this.#commit(node, seen);
  }
}

export function applyTo(entries: Map<string, Node>, { remove, add }: Change): void {
  if (remove !== undefined) entries.delete(remove);
  if (add !== undefined) entries.set(add.name, add.node);
}
