/** What the contract's tests stand on. */

import type { TestContext } from 'vitest';
import type { Machine } from '../../src/os/ports.ts';
import type { Queue } from '../../src/queue/contract.ts';

/** What a layout cannot do, and why: the reason stands beside the skipped tests. */
export type Lacks = { readonly lacks: string };

/** A new, empty queue, to be cleaned up by whoever made it. */
export type Ground = {
  readonly queue: Queue;
  readonly machine: Machine;
  /** The same queue as another program would open it. */
  readonly reopen: () => Promise<Queue>;
};

export function isLack(capability: unknown): capability is Lacks {
  return typeof capability === 'object' && capability !== null && 'lacks' in capability;
}

/** Skips the test of a layout that cannot do one of these, with its reason. */
export function needing<Capabilities extends object>(capabilities: Capabilities) {
  return ({ skip }: TestContext, ...needed: (keyof Capabilities)[]): void => {
    for (const capability of needed) {
      const has = capabilities[capability];
      if (isLack(has)) skip(has.lacks);
    }
  };
}
