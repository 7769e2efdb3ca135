/** What descriptors point at: shared by every process that inherited one, gone with the last of them. */

import type { LockKind } from '../../src/os/ports.ts';
import type { Node } from './disk.ts';

export type Pipe = { readonly bytes: number[]; mode: number; readers: number; writers: number };

export type Target =
  | { readonly kind: 'node'; readonly node: Node; readonly path: string }
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly end: 'read' | 'write' };

export type OpenFile = {
  /** The name of the host whose processes have it open. */
  readonly host: string;
  readonly target: Target;
  readonly writable: boolean;
  /** Each write goes to its end. */
  readonly appends?: boolean;
  position: number;
  /** How many descriptors, in all processes, point here. */
  holders: number;
};

/** flock(2): a lock is the open file's, so heirs of a descriptor share it and the last one gives it up. */
export class LockTable {
  readonly #held = new Map<Node, Map<OpenFile, LockKind>>();
  readonly #perHost: boolean;

  /** `perHost`: as on a network file system that keeps no locks, a host sees its own only. */
  constructor(perHost = false) {
    this.#perHost = perHost;
  }

  tryLock(file: OpenFile, kind: LockKind): boolean {
    if (file.target.kind !== 'node') return true;
    const { node } = file.target;
    const holders = this.#held.get(node) ?? new Map<OpenFile, LockKind>();
    for (const [other, held] of holders) {
      if (this.#perHost && other.host !== file.host) continue;
      if (other !== file && (kind === 'exclusive' || held === 'exclusive')) return false;
    }
    this.#held.set(node, holders.set(file, kind));
    return true;
  }

  /** The server has heard nothing from a host for too long, and gives its locks to others. */
  loseAllOf(host: string): void {
    for (const holders of this.#held.values()) {
      for (const file of holders.keys()) if (file.host === host) holders.delete(file);
    }
  }

  unlock(file: OpenFile): void {
    if (file.target.kind === 'node') this.#held.get(file.target.node)?.delete(file);
  }
}
