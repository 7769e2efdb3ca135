/** Many scanners of one queue of fsq: each item once, whoever else scans it. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFsq } from '../../src/fsq/fsq.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { LONGER, lacking } from './support/needs.ts';
import { spawnGroup } from './support/storm.ts';

const ITEMS = LONGER > 1 ? 10_000 : 3000;
const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));
const OURS = [BUN, '--no-install', fileURLToPath(new URL('./support/fsq-scanner.ts', import.meta.url))];
const ORIGINAL = ['python3', fileURLToPath(new URL('../support/original-scan.py', import.meta.url))];

const temporary = useTemporary();
const reason = lacking({ tools: ['python3'] });

describe('scanners of one queue', () => {
  it.each([4, 16])(
    'run each of many items once: %i of ours',
    { timeout: 300_000 * LONGER },
    async (count) => {
      for (let round = 0; round < LONGER; round++) {
        const queue = await filled(`queue-${round}`);
        const ran = await scanned(
          queue,
          Array.from({ length: count }, () => OURS),
        );
        expect(ran.length).toBe(ITEMS);
        expect(new Set(ran).size).toBe(ITEMS);
        expect(readdirSync(`${queue}/done`).length).toBe(ITEMS);
      }
    },
  );

  it.skipIf(reason !== undefined)(
    `lose none beside those of the original${reason === undefined ? '' : ` (${reason})`}`,
    { timeout: 300_000 * LONGER },
    async () => {
      const queue = await filled('queue');
      const ran = await scanned(queue, [OURS, OURS, ORIGINAL, ORIGINAL]);
      console.log(`beside the original ${ran.length - ITEMS} of ${ITEMS} items ran twice`);
      expect(new Set(ran).size).toBe(ITEMS);
      expect(readdirSync(`${queue}/done`).length).toBe(ITEMS);
    },
  );
});

async function filled(name: string): Promise<string> {
  const queue = await createFsq(realMachine, temporary.path(name));
  const params = Array.from({ length: ITEMS }, (_, n) => ({ params: [String(n)] }));
  await queue.addAll(params, { durability: 'crash-safe' });
  return queue.location;
}

/** Starts scanners and waits for all to end. Returns what they ran, in the order of time. */
async function scanned(queue: string, scanners: readonly (readonly string[])[]): Promise<string[]> {
  const notes = `${queue}.notes`;
  writeFileSync(notes, '');
  const spawned = scanners.map(([program = '', ...args]) =>
    spawnGroup(program, [...args, queue, notes], process.env),
  );
  for (const { ended } of spawned) expect(await ended).toEqual({ code: 0, stderr: '' });
  expect(readdirSync(`${queue}/queue`)).toEqual([]);
  return readFileSync(notes, 'utf8').split('\n').slice(0, -1);
}
