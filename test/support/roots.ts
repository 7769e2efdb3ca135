/** Roots of a simple-job-q for tests: made quickly, and looked into. */

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realMachine } from '../../src/os/real/index.ts';
import { initRoot } from '../../src/uow/init.ts';
import { openRoot, type Root } from '../../src/uow/root.ts';

export type TestRoot = {
  readonly path: string;
  readonly root: Root;
  /** A unit of work, as somebody writes it. */
  put(place: string, name: string, text: string): void;
  /** The names there, without README. */
  names(place: string): string[];
  read(place: string, name: string): string;
  said(): string;
};

/** `config`: lines of `config.txt`. */
export async function makeRoot(path: string, config: readonly string[] = []): Promise<TestRoot> {
  await initRoot(realMachine, path);
  writeFileSync(join(path, 'config.txt'), ['quiet seconds :: 0', ...config, ''].join('\n'));
  const { root } = await openRoot(realMachine, path);
  return {
    path,
    root,
    // In one step: with no quiet seconds a Monitor takes what it sees.
    put: (place, name, text) => {
      writeFileSync(`${path}.written`, text);
      renameSync(`${path}.written`, join(path, place, name));
    },
    names: (place) =>
      readdirSync(join(path, place))
        .filter((name) => name !== 'README')
        .sort(),
    read: (place, name) => readFileSync(join(path, place, name), 'utf8'),
    said: () => readFileSync(join(path, 'monitor_says'), 'utf8'),
  };
}

/** The lines of a header. */
export function unitText(items: Readonly<Record<string, string>>): string {
  const lines = Object.entries(items).map(([name, content]) => `${name} :: ${content}\n`);
  return `==== UNIT OF WORK\n${lines.join('')}`;
}
