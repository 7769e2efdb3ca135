/** Queues of fsq for tests, on the real machine unless they say otherwise. */

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type Constants, DEFAULTS } from '../../src/fsq/constants.ts';
import { bytesWriter, enqueue } from '../../src/fsq/enqueue.ts';
import { install } from '../../src/fsq/install.ts';
import { type Place, placeAt } from '../../src/fsq/place.ts';
import { type ScanOptions, scan, type WorkItem } from '../../src/fsq/scan.ts';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';

/** Directories that fsq 0.2.5 made. Returns where they are. */
export function goldenQueues(directory: string): string {
  const archive = new URL('../fixtures/fsq/queues.tar.gz', import.meta.url).pathname;
  execFileSync('tar', ['-xzpf', archive, '-C', directory]);
  return `${directory}/fsqroot`;
}

export async function newQueue(path: string, constants: Constants = DEFAULTS): Promise<Place> {
  await install(realMachine, path, constants);
  return placeAt(path, constants);
}

export function put(place: Place, content: string, ...args: string[]): Promise<string> {
  return enqueue(realMachine, place, DEFAULTS, { args, write: bytesWriter(realMachine, content) });
}

/** Goes through a queue; `act` says what becomes of each. Returns the arguments of those that it was given. */
export async function scanned(
  place: Place,
  act: (work: WorkItem) => unknown = (work) => work.done(),
  constants: Partial<Constants> = {},
  options: ScanOptions = {},
  machine: Machine = realMachine,
): Promise<string[]> {
  const seen: string[] = [];
  for await (const work of scan(machine, place, { ...DEFAULTS, ...constants }, options)) {
    seen.push(work.item.args.join(' '));
    await act(work);
  }
  return seen;
}

/** What is in the rooms of a queue, sorted. */
export function rooms(place: Place): Record<'tmp' | 'waiting' | 'done' | 'fail', string[]> {
  const names = (path: string) => readdirSync(path).sort();
  return {
    tmp: names(place.tmp),
    waiting: names(place.waiting),
    done: names(place.done),
    fail: names(place.fail),
  };
}
