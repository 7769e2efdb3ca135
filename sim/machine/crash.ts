/**
 * Every disk that a power cut can leave behind.
 *
 * | what is not on disk yet | weak                                   | ordered                                |
 * |-------------------------|----------------------------------------|----------------------------------------|
 * | changes of names        | any subset of those of each directory  | the first so many of all               |
 * | content of a file       | what the last fsync kept; all of the new; half of it; as many zeroes; where the     |
 * |                         | length is the same, half new and half old                                           |
 * | mode bits               | as seen                                                                             |
 *
 * `lasting`: as seen, all of it.
 *
 * A file without a name is gone. Images are compared by what is in them, so each comes once.
 */

import { type Change, type DirectoryNode, Disk, type FileNode, type Node, type Profile } from './disk.ts';
import type { Chance } from './random.ts';

export type Image = FileImage | DirectoryImage;
type FileImage = {
  readonly kind: 'file';
  readonly key: string;
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
/** More images of one moment than this are not made. */
const IMAGES_LIMIT = 512;

export type Images = {
  readonly images: readonly DirectoryImage[];
  /** Whether a limit above left some out. */
  readonly cut: boolean;
};

export function crashImages(disk: Disk): Images {
  if (disk.profile === 'lasting') return { images: [wholeImage(disk)], cut: false };
  const state = { cut: false };
  const found =
    disk.profile === 'weak'
      ? directoryImages(disk.root, (directory) => choices(directory.pending, state), state)
      : orderedImages(disk, state);
  return { images: found, cut: state.cut };
}

/** The disk as processes see it: what is left when they die and the power stays on. */
export function wholeImage(disk: Disk): DirectoryImage {
  const whole = (node: Node): Image =>
    node.kind === 'file'
      ? fileImage(node.content, node.mode)
      : directoryImage(new Map([...node.entries].map(([name, child]) => [name, whole(child)])));
  return whole(disk.root) as DirectoryImage;
}

export function diskFrom(image: DirectoryImage, profile: Profile): Disk {
  const disk = new Disk(profile);
  const fill = (directory: DirectoryNode, from: DirectoryImage) => {
    for (const [name, child] of from.entries) {
      const node = child.kind === 'file' ? disk.newFile(child.content, child.mode) : disk.newDirectory();
      if (node.kind === 'directory' && child.kind === 'directory') fill(node, child);
      if (node.kind === 'file') node.links = 1;
      directory.entries.set(name, node);
    }
    directory.durable = new Map(directory.entries);
  };
  fill(disk.root, image);
  return disk;
}

type Limits = { cut: boolean };

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
  const collect = (directory: DirectoryNode) => {
    for (const { order } of directory.pending) orders.add(order);
    for (const node of directory.entries.values()) if (node.kind === 'directory') collect(node);
  };
  collect(disk.root);
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
    for (const { remove, add } of changes) {
      if (remove !== undefined) entries.delete(remove);
      if (add !== undefined) entries.set(add.name, add.node);
    }
    let partial: Map<string, Image>[] = [new Map()];
    for (const [name, node] of entries) {
      const variants = node.kind === 'file' ? fileImages(node) : directoryImages(node, kept, limits);
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

function fileImages({ content, durable, mode }: FileNode): FileImage[] {
  if (content === durable) return [fileImage(content, mode)];
  const half = content.length >> 1;
  const contents = [durable, content];
  if (half > 0) contents.push(content.slice(0, half), new Uint8Array(content.length));
  if (half > 0 && content.length === durable.length) {
    const mixed = durable.slice();
    mixed.set(content.subarray(0, half));
    contents.push(mixed);
  }
  const found = new Map<string, FileImage>();
  for (const each of contents) {
    const image = fileImage(each, mode);
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

function fileImage(content: Uint8Array, mode: number): FileImage {
  return { kind: 'file', key: `f${mode}:${contentKey(content)}`, content, mode };
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
  const survives = (change: Change) =>
    disk.profile === 'ordered' ? change.order <= lastOrder : chance.flip(share);
  const of = (node: Node): Image => {
    if (node.kind === 'file')
      return chance.flip(share) ? fileImage(node.content, node.mode) : chance.pick(fileImages(node));
    const entries = new Map(node.durable);
    for (const change of node.pending) {
      if (!survives(change)) continue;
      if (change.remove !== undefined) entries.delete(change.remove);
      if (change.add !== undefined) entries.set(change.add.name, change.add.node);
    }
    return directoryImage(new Map([...entries].map(([name, child]) => [name, of(child)])));
  };
  return of(disk.root) as DirectoryImage;
}
