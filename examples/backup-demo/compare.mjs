// @ts-check
/** Compares two directory trees, name by name: type, permissions, content, time, link target, hard links. */

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is known of one name. `siblings` are the other names of the same file, sorted; `modified` is in whole
 * seconds, as tar keeps it. The times of directories are left out: tar changes them while it unpacks.
 *
 * @typedef {{ type: 'file', mode: string, bytes: number, content: string, modified: number, siblings: string[] }} File
 * @typedef {{ type: 'directory', mode: string }} Directory
 * @typedef {{ type: 'symbolic link', target: string }} Link
 * @typedef {{ type: 'something else' }} Other
 * @typedef {File | Directory | Link | Other} Entry
 * @typedef {ReadonlyMap<string, Entry>} Tree by path, relative to the top, which is `.`
 * @typedef {{ path: string, what: string }} Difference
 */

/**
 * Reads a whole tree, without following links.
 *
 * @param {string} top
 * @returns {Tree}
 */
export function readTree(top) {
  /** @type {Map<string, Entry>} */
  const tree = new Map();
  /** @type {Map<string, string[]>} the names of each file that has several, by device and inode */
  const linked = new Map();
  /** @param {string} path */
  const visit = (path) => {
    const full = join(top, path);
    const stat = lstatSync(full);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) {
      tree.set(path, { type: 'directory', mode });
      for (const name of readdirSync(full).sort()) visit(path === '.' ? name : `${path}/${name}`);
    } else if (stat.isSymbolicLink()) {
      tree.set(path, { type: 'symbolic link', target: readlinkSync(full) });
    } else if (stat.isFile()) {
      const content = createHash('sha256').update(readFileSync(full)).digest('hex');
      const modified = Math.floor(stat.mtimeMs / 1000);
      tree.set(path, { type: 'file', mode, bytes: stat.size, content, modified, siblings: [] });
      const inode = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1) linked.set(inode, [...(linked.get(inode) ?? []), path]);
    } else {
      tree.set(path, { type: 'something else' });
    }
  };
  visit('.');
  for (const names of linked.values()) {
    for (const path of names) {
      const file = /** @type {File} */ (tree.get(path));
      file.siblings = names.filter((name) => name !== path).sort();
    }
  }
  return tree;
}

/**
 * Every way in which `after` is not `before`; empty when they are equal.
 *
 * @param {Tree} before
 * @param {Tree} after
 * @returns {Difference[]}
 */
export function differences(before, after) {
  /** @type {Difference[]} */
  const found = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [before.get(path), after.get(path)];
    if (is === undefined) found.push({ path, what: 'missing' });
    else if (was === undefined) found.push({ path, what: 'extra' });
    else found.push(...changes(was, is).map((what) => ({ path, what })));
  }
  return found;
}

/**
 * How one name changed, in words.
 *
 * @param {Entry} was
 * @param {Entry} is
 * @returns {string[]}
 */
function changes(was, is) {
  if (was.type === 'directory' && is.type === 'directory') return unlessSame('mode', was.mode, is.mode);
  if (was.type === 'symbolic link' && is.type === 'symbolic link') {
    return unlessSame('link target', was.target, is.target);
  }
  if (was.type === 'file' && is.type === 'file') {
    return [
      ...(was.content === is.content ? [] : ['content']),
      ...unlessSame('mode', was.mode, is.mode),
      ...unlessSame('modified', was.modified, is.modified),
      ...unlessSame('hard links', list(was.siblings), list(is.siblings)),
    ];
  }
  return unlessSame('type', was.type, is.type);
}

/**
 * @param {string} property
 * @param {string | number} was
 * @param {string | number} is
 */
function unlessSame(property, was, is) {
  return was === is ? [] : [`${property}: ${was}, now ${is}`];
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length === 0 ? 'none' : names.map((name) => JSON.stringify(name)).join(' ');
}

/**
 * The size of a tree in numbers to print. A file with two names counts once in bytes.
 *
 * @param {Tree} tree
 */
export function measure(tree) {
  const count = { files: 0, directories: 0, links: 0, bytes: 0 };
  const counted = new Set();
  for (const [path, entry] of tree) {
    if (entry.type === 'directory') count.directories += 1;
    if (entry.type === 'symbolic link') count.links += 1;
    if (entry.type !== 'file') continue;
    count.files += 1;
    if (!counted.has(path)) count.bytes += entry.bytes;
    for (const name of entry.siblings) counted.add(name);
  }
  return count;
}
