/** What a power cut can leave of the content of a file: the table is in crash.ts. */

import type { FileNode } from './disk.ts';
import { type FileImage, fileImage } from './image.ts';

/** All contents that a power cut can leave of a file. */
export function fileImages(file: FileNode): FileImage[] {
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
