/**
 * How one host sees a disk over the network: through a cache, as an NFS client does.
 *
 * | what the host knows            | may be wrong until                    | goes to the server at once         |
 * |--------------------------------|---------------------------------------|------------------------------------|
 * | a name is there, or is not     | its time is over, or the directory is | creating, locking, and opening what |
 * | the names in a directory       | opened: close-to-open                 | is believed to be there            |
 * | size and time of a file (stat) | its time is over, or the file is opened | fstat, read                      |
 *
 * A host sees its own changes at once, but only those whose success it was told: after a reply that got lost, it goes
 * on believing what it looked up before the call.
 *
 *     host A                                    server
 *     looks up the new name: not there          not there
 *     rename                                    done; the reply gets lost
 *     told ENOENT or EIO
 *     looks up the new name: "not there"        there
 *
 * Linux asks the server anew for each readdir too, since that opens the directory; others, such as sshfs, do not. So a
 * listing may be old here. (Linux: fs/nfs/dir.c, nfs_lookup_verify_inode and nfs_check_verifier.)
 */

import type { DirectoryNode, FileNode, Node, Place } from './disk.ts';
import type { Chance } from './random.ts';

type Kept<T> = { readonly value: T; readonly untilMs: number };
type Attributes = Pick<FileNode, 'content' | 'mode' | 'modifiedMs'>;

export type MountOptions = {
  readonly now: () => number;
  /** No belief is older than this, in virtual milliseconds. */
  readonly staleMs: number;
  /** Draws how long each belief is kept; without it each is kept as long as it may be. */
  readonly chance?: Chance;
};

export class Mount {
  readonly #options: MountOptions;
  readonly #names = new Map<DirectoryNode, Map<string, Kept<Node | undefined>>>();
  readonly #listings = new Map<DirectoryNode, Kept<Map<string, Node>>>();
  readonly #attributes = new Map<FileNode, Kept<Attributes>>();

  constructor(options: MountOptions) {
    this.#options = options;
  }

  /** What this host believes to be at a name, having asked the server when it had no belief. */
  lookUp({ parent, name, node }: Place): Node | undefined {
    if (name === '' || name === '..') return node;
    const known = this.#fresh(this.#names.get(parent)?.get(name));
    if (known !== undefined) return known.value;
    this.#learn(parent, name, node);
    return node;
  }

  /** What an open that creates nothing finds: an absence is believed, a presence is asked for again. */
  open(place: Place): Node | undefined {
    if (this.lookUp(place) === undefined) return undefined;
    this.told(place, place.node);
    if (place.node?.kind === 'file') this.#attributes.delete(place.node);
    return place.node;
  }

  /** The server has told, with its reply to a call of ours, what is at a name. */
  told({ parent, name }: Pick<Place, 'parent' | 'name'>, node: Node | undefined): void {
    this.#learn(parent, name, node);
    const listing = this.#listings.get(parent)?.value;
    if (node === undefined) listing?.delete(name);
    else listing?.set(name, node);
  }

  /** Close-to-open holds for directories too. */
  openDirectory(directory: DirectoryNode): void {
    this.#names.delete(directory);
    this.#listings.delete(directory);
  }

  list(directory: DirectoryNode): ReadonlyMap<string, Node> {
    const known = this.#fresh(this.#listings.get(directory));
    if (known !== undefined) return new Map(known.value);
    this.#listings.set(directory, this.#keep(new Map(directory.entries)));
    for (const [name, node] of directory.entries) this.#learn(directory, name, node);
    return directory.entries;
  }

  /** What stat says of a file, or undefined when it is gone and this host has noticed. */
  attributes(node: FileNode): Attributes | undefined {
    const known = this.#fresh(this.#attributes.get(node));
    if (known !== undefined) return known.value;
    if (node.links === 0) return undefined;
    const { content, mode, modifiedMs } = node;
    this.#attributes.set(node, this.#keep({ content, mode, modifiedMs }));
    return node;
  }

  /** This host has changed the file itself. */
  touched(node: FileNode): void {
    this.#attributes.delete(node);
  }

  #learn(parent: DirectoryNode, name: string, node: Node | undefined): void {
    const names = this.#names.get(parent) ?? new Map<string, Kept<Node | undefined>>();
    this.#names.set(parent, names.set(name, this.#keep(node)));
  }

  #keep<T>(value: T): Kept<T> {
    const { now, staleMs, chance } = this.#options;
    return { value, untilMs: now() + (chance === undefined ? staleMs : chance.next() * staleMs) };
  }

  #fresh<T>(kept: Kept<T> | undefined): Kept<T> | undefined {
    return kept !== undefined && kept.untilMs > this.#options.now() ? kept : undefined;
  }
}
