/**
 * Every disk that a power cut can leave behind.
 *
 * | what is not on disk yet | weak, torn                             | ordered                                |
 * |-------------------------|----------------------------------------|----------------------------------------|
 * | changes of names        | any subset of those of each directory  | the first so many of all               |
 * | renames between two     | each done, not done, or both names     | as above                               |
 * | content of a file       | what the last fsync kept; all of the new; half of it; as many zeroes; where the     |
 * |                         | length is the same, half new and half old                                           |
 * | one that was written to | what was synced and not written over stays; the rest as above, as far as it goes     |
 * | and not cut             |                                                                                     |
 * | mode bits               | as seen                                                                             |
 *
 * `lasting`: as seen, all of it.
 *
 * A directory is gone only when it is empty on the disk too: what was moved out of it has arrived.
 *
 * A file without a name is gone. Images are compared by what is in them, so each comes once.
 *
 * Directories in which nothing is that a promise hangs on are as seen, to save disks that differ in nothing else.
 */

import {
  applyTo,
  type Change,
  type DirectoryNode,
  Disk,
  type FileNode,
  type Node,
  type Profile,
} from './disk.ts';
import type { Chance } from './random.ts';

export type Image = FileImage | DirectoryImage;
type FileImage = {
  readonly kind: 'file';
  readonly key: string;
  /** Of the file that it is an image of: one with two names is still one. */
  readonly number: number;
  readonly content: Uint8Array;
  readonly mode: number;
};
export type DirectoryImage = {
  readonly kind: 'directory';
  readonly key: string;
  readonly entries: ReadonlyMap<string, Image>;
};

/** More changes of one directory than this are not combined freely: see `choices`. */
const FREE_CHANGES = 8;
/** More renames between directories than this are not combined freely either: see `moveChoices`. */
const FREE_MOVES = 4;
/** More images of one moment than this are not made. */
const IMAGES_LIMIT = 512;

export type Images = {
  readonly images: readonly DirectoryImage[];
  /** Whether a limit above left some out. */
  readonly cut: boolean;
};

/** `asSeen` names directories that are not taken apart. */
export function crashImages(disk: Disk, asSeen: readonly string[] = []): Images {
  if (disk.profile === 'lasting') return { images: [wholeImage(disk)], cut: false };
  const state = { cut: false, asSeen: new Set(asSeen) };
  const found = disk.profile === 'ordered' ? orderedImages(disk, state) : weakImages(disk, state);
  return { images: found, cut: state.cut };
}

/** The disk as processes see it: what is left when they die and the power stays on. */
export function wholeImage(disk: Disk): DirectoryImage {
  return whole(disk.root) as DirectoryImage;
}

function whole(node: Node): Image {
  return node.kind === 'file'
    ? fileImage(node, node.content)
    : directoryImage(new Map([...node.entries].map(([name, child]) => [name, whole(child)])));
}

export function diskFrom(image: DirectoryImage, profile: Profile): Disk {
  const disk = new Disk(profile);
  const files = new Map<number, FileNode>();
  const fileFrom = ({ number, content, mode }: FileImage) => {
    const file = files.get(number) ?? disk.newFile(content, mode);
    files.set(number, file);
    file.links += 1;
    return file;
  };
  const fill = (directory: DirectoryNode, from: DirectoryImage) => {
    for (const [name, child] of from.entries) {
      const node = child.kind === 'file' ? fileFrom(child) : disk.newDirectory();
      if (node.kind === 'directory' && child.kind === 'directory') fill(node, child);
      directory.entries.set(name, node);
    }
    directory.durable = new Map(directory.entries);
  };
  fill(disk.root, image);
  return disk;
}

type Limits = { cut: boolean; readonly asSeen: ReadonlySet<string> };

/** What became of a rename between two directories. */
type Moved = 'no' | 'half' | 'yes';
/** By its place in the order of changes. */
type Moves = ReadonlyMap<number, Moved>;

function weakImages(disk: Disk, limits: Limits): DirectoryImage[] {
  const moves = disk.hasMoved ? pendingMoves(disk.root) : [];
  const free = (directory: DirectoryNode) => {
    const { pending } = directory;
    return moves.length === 0 ? pending : pending.filter(({ move }) => move === undefined);
  };
  if (moves.length === 0) return directoryImages(disk.root, (of) => choices(of.pending, limits), limits);
  const found = new Map<string, DirectoryImage>();
  for (const moved of moveChoices(moves, limits)) {
    const kept = (directory: DirectoryNode) => {
      const fixed = directory.pending.filter((change) => isMovedHere(change, directory, moved));
      const all = choices(free(directory), limits).filter((some) => areEmptied(some, directory, moved));
      if (fixed.length === 0) return all;
      return all.map((some) => [...some, ...fixed].sort((a, b) => a.order - b.order));
    };
    for (const image of directoryImages(disk.root, kept, limits)) found.set(image.key, image);
  }
  return [...found.values()];
}

function pendingMoves(root: DirectoryNode): number[] {
  const orders = directoriesOf(root).flatMap(({ pending }) =>
    pending.flatMap(({ move, order }) => (move === undefined ? [] : [order])),
  );
  return [...new Set(orders)].sort((a, b) => a - b);
}

/** Those that are on the disk, and those that may come to be. */
function directoriesOf(root: DirectoryNode): DirectoryNode[] {
  const found = new Set<DirectoryNode>();
  const collect = (node: Node) => {
    if (node.kind !== 'directory' || found.has(node)) return;
    found.add(node);
    for (const { add } of node.pending) if (add !== undefined) collect(add.node);
    for (const child of node.durable.values()) collect(child);
  };
  collect(root);
  return [...found];
}

/** All combinations; where that is too many: the first so many done, the next one not, or half. */
function moveChoices(orders: readonly number[], limits: Limits): Moves[] {
  if (orders.length > FREE_MOVES) {
    limits.cut = true;
    return orders.flatMap((_order, done) =>
      (['no', 'half', 'yes'] as const).map(
        (last) => new Map(orders.map((order, at) => [order, at < done ? 'yes' : at === done ? last : 'no'])),
      ),
    );
  }
  let all: Map<number, Moved>[] = [new Map()];
  for (const order of orders) {
    all = all.flatMap((moves) =>
      (['no', 'half', 'yes'] as const).map((moved) => new Map(moves).set(order, moved)),
    );
  }
  return all;
}

/** Whether this half of a rename reached the disk. */
function isMovedHere({ move, order }: Change, directory: DirectoryNode, moves: Moves): boolean {
  if (move === undefined) return false;
  const moved = moves.get(order) ?? 'no';
  return moved === 'yes' || (moved === 'half' && move.to === directory);
}

/** Of the directories that these changes remove: whether everything that was moved out of them has arrived. */
function areEmptied(changes: readonly Change[], parent: DirectoryNode, moves: Moves): boolean {
  return changes.every(({ remove }) => {
    const removed = remove === undefined ? undefined : parent.durable.get(remove);
    if (removed?.kind !== 'directory') return true;
    return removed.pending.every(
      ({ move, order }) => move === undefined || move.to === removed || moves.get(order) !== 'no',
    );
  });
}

/** All subsets; where that is too many: the first so many, and all but one. */
function choices(pending: readonly Change[], limits: Limits): Change[][] {
  if (pending.length <= FREE_CHANGES) {
    return Array.from({ length: 2 ** pending.length }, (_, bits) =>
      pending.filter((_change, index) => (bits >> index) & 1),
    );
  }
  limits.cut = true;
  const firsts = Array.from({ length: pending.length + 1 }, (_, count) => pending.slice(0, count));
  return [...firsts, ...pending.map((without) => pending.filter((change) => change !== without))];
}

function orderedImages(disk: Disk, limits: Limits): DirectoryImage[] {
  const orders = new Set([0]);
  for (const { pending } of directoriesOf(disk.root)) for (const { order } of pending) orders.add(order);
  const found = new Map<string, DirectoryImage>();
  for (const last of orders) {
    const kept = (directory: DirectoryNode) => [directory.pending.filter(({ order }) => order <= last)];
    for (const image of directoryImages(disk.root, kept, limits)) found.set(image.key, image);
  }
  return [...found.values()];
}

function directoryImages(
  directory: DirectoryNode,
  kept: (directory: DirectoryNode) => Change[][],
  limits: Limits,
): DirectoryImage[] {
  const found = new Map<string, DirectoryImage>();
  for (const changes of kept(directory)) {
    const entries = new Map(directory.durable);
    for (const change of changes) applyTo(entries, change);
    let partial: Map<string, Image>[] = [new Map()];
    for (const [name, node] of entries) {
      const variants = variantsOf(name, node, kept, limits);
      partial = partial.flatMap((before) =>
        variants.map((image) => (variants.length === 1 ? before : new Map(before)).set(name, image)),
      );
      if (partial.length > IMAGES_LIMIT) {
        limits.cut = true;
        partial.length = IMAGES_LIMIT;
      }
    }
    for (const each of partial) {
      const image = directoryImage(each);
      found.set(image.key, image);
    }
  }
  return [...found.values()];
}

function variantsOf(
  name: string,
  node: Node,
  kept: (directory: DirectoryNode) => Change[][],
  limits: Limits,
): readonly Image[] {
  if (node.kind === 'file') return fileImages(node);
  return limits.asSeen.has(name) ? [whole(node)] : directoryImages(node, kept, limits);
}

function newContents(durable: Uint8Array, content: Uint8Array): Uint8Array[] {
  const half = content.length >> 1;
  const contents = [durable, content];
  if (half > 0) contents.push(content.slice(0, half), new Uint8Array(content.length));
  if (half > 0 && content.length === durable.length)
    contents.push(halfWritten(durable, content, 0, content.length));
  return contents;
}

/** What was durable and not written since stays; what was written over is old, new, or half of each; the end may be missing. */
function editedContents(durable: Uint8Array, content: Uint8Array): Uint8Array[] {
  const { length } = durable;
  const over = content.slice(0, length);
  const from = over.findIndex((byte, at) => byte !== durable[at]);
  const to = over.findLastIndex((byte, at) => byte !== durable[at]) + 1;
  const contents = [durable, content, over];
  if (from >= 0) contents.push(halfWritten(durable, over, from, to));
  if (content.length === length) return contents;
  const zeroes = new Uint8Array(content.length);
  zeroes.set(over);
  const oldFront = content.slice();
  oldFront.set(durable);
  return [...contents, oldFront, zeroes, content.slice(0, (length + content.length) >> 1)];
}

/** The first half of what lies from there to there is new. */
function halfWritten(durable: Uint8Array, content: Uint8Array, from: number, to: number): Uint8Array {
  const mixed = durable.slice();
  const middle = (from + to) >> 1;
  mixed.set(content.subarray(from, middle), from);
  return mixed;
}

function fileImages(file: FileNode): FileImage[] {
  const { content, durable } = file;
  if (content === durable) return [fileImage(file, content)];
  const isEdited = file.isCut !== true && durable.length > 0;
  const contents = isEdited ? editedContents(durable, content) : newContents(durable, content);
  const found = new Map<string, FileImage>();
  for (const each of contents) {
    const image = fileImage(file, each);
    found.set(image.key, image);
  }
  return [...found.values()];
}

/** Equal texts get equal short keys, so that keys of whole disks stay short. */
const shortKeys = new Map<string, number>();

function shortKey(text: string): number {
  const known = shortKeys.get(text);
  if (known !== undefined) return known;
  shortKeys.set(text, shortKeys.size);
  return shortKeys.size - 1;
}

const contentKeys = new WeakMap<Uint8Array, number>();

function contentKey(content: Uint8Array): number {
  let key = contentKeys.get(content);
  if (key === undefined) {
    key = shortKey(Buffer.from(content).toString('latin1'));
    contentKeys.set(content, key);
  }
  return key;
}

function fileImage({ number, mode }: FileNode, content: Uint8Array): FileImage {
  return { kind: 'file', key: `f${mode}:${contentKey(content)}`, number, content, mode };
}

function directoryImage(entries: Map<string, Image>): DirectoryImage {
  const names = [...entries.keys()].sort();
  const listing = names.map((name) => `${name}=${entries.get(name)?.key}`).join(';');
  return { kind: 'directory', key: `d${shortKey(listing)}`, entries };
}

/** What is in an image, for people. */
export function describeImage(image: DirectoryImage, path = ''): string[] {
  return [...image.entries].flatMap(([name, child]) =>
    child.kind === 'directory'
      ? [`${path}/${name}/`, ...describeImage(child, `${path}/${name}`)]
      : [`${path}/${name}: ${child.content.length} bytes ${JSON.stringify(preview(child.content))}`],
  );
}

function preview(content: Uint8Array): string {
  return Buffer.from(content.subarray(-24)).toString('latin1');
}

/** One of the images of this moment by chance, also where there are too many to make them all. */
export function randomImage(disk: Disk, chance: Chance): DirectoryImage {
  if (disk.profile === 'lasting') return wholeImage(disk);
  // Sometimes nearly all has reached the disk, sometimes nearly nothing.
  const share = chance.pick([0, 0.2, 0.5, 0.8, 1]);
  const lastOrder = chance.below(disk.changes + 1);
  const moves = new Map<number, Moved>();
  const movedTo = ({ order }: Change): Moved => {
    const moved = moves.get(order) ?? (chance.flip(share) ? 'yes' : chance.flip(0.2) ? 'half' : 'no');
    moves.set(order, moved);
    return moved;
  };
  const survives = (change: Change, of: DirectoryNode) => {
    if (disk.profile === 'ordered') return change.order <= lastOrder;
    if (change.move === undefined)
      return chance.flip(share) && areEmptied([change], of, allMoves(change, of));
    movedTo(change);
    return isMovedHere(change, of, moves);
  };
  /** What was moved out of a directory that a change removes has to be decided on first. */
  const allMoves = ({ remove }: Change, parent: DirectoryNode): Moves => {
    const removed = remove === undefined ? undefined : parent.durable.get(remove);
    if (removed?.kind === 'directory') for (const each of removed.pending) if (each.move) movedTo(each);
    return moves;
  };
  const of = (node: Node): Image => {
    if (node.kind === 'file')
      return chance.flip(share) ? fileImage(node, node.content) : chance.pick(fileImages(node));
    const entries = new Map(node.durable);
    for (const change of node.pending) if (survives(change, node)) applyTo(entries, change);
    return directoryImage(new Map([...entries].map(([name, child]) => [name, of(child)])));
  };
  return of(disk.root) as DirectoryImage;
}
