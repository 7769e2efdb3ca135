/** What is on a disk at one moment, as a value. Images are compared by what is in them: by their keys. */

import { type DirectoryNode, Disk, type FileNode, type Node, type Profile } from './disk.ts';

export type Image = FileImage | DirectoryImage;

export type FileImage = {
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

/** The disk as processes see it: what is left when they die and the power stays on. */
export function wholeImage(disk: Disk): DirectoryImage {
  return whole(disk.root) as DirectoryImage;
}

export function whole(node: Node): Image {
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

export function fileImage({ number, mode }: FileNode, content: Uint8Array): FileImage {
  return { kind: 'file', key: `f${mode}:${contentKey(content)}`, number, content, mode };
}

export function directoryImage(entries: Map<string, Image>): DirectoryImage {
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
