/** Commands for tests, which say in files how far they are. */

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Command } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { eventually } from './temporary.ts';

/** A script for /bin/sh, which does not say what became of its children. */
export function shell(script: string): Command {
  return { program: '/bin/sh', args: ['-c', `exec 2>/dev/null; ${script}`], env: realMachine.host.env() };
}

/** Waits for a process to have noted its number in a file. */
export async function notedPid(file: string): Promise<number> {
  return eventually(() => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
}

/** A tree of three processes that note their numbers in files beginning with `prefix`, and then sleep. */
export function sleepingTree(prefix: string): string {
  const grandchild = `echo $$ > ${prefix}.grandchild; exec sleep 1000`;
  const child = `sh -c '${grandchild}' & echo $$ > ${prefix}.child; wait`;
  return `sh -c "${child.replaceAll('$', '\\$')}" & echo $$ > ${prefix}.leader; wait`;
}

/** The numbers of such a tree, once it is complete. */
export async function treePids(prefix: string): Promise<number[]> {
  return Promise.all(['leader', 'child', 'grandchild'].map((name) => notedPid(`${prefix}.${name}`)));
}
