/**
 * `bun fsq-scanner.ts QUEUE NOTES`: goes through a queue of fsq again and again until nothing waits, and does nothing for
 * each item but to note its name in the file NOTES. As `fsq scan` does, it goes on while what is over is synced.
 */

import { appendFileSync, readdirSync } from 'node:fs';
import { DEFAULTS } from '../../../src/fsq/constants.ts';
import { placeAt } from '../../../src/fsq/place.ts';
import { scan } from '../../../src/fsq/scan.ts';
import { realMachine } from '../../../src/os/real/index.ts';

const SETTLING_LIMIT = 64;

const [path = '', notes = ''] = process.argv.slice(2);
const place = placeAt(path, DEFAULTS);
while (readdirSync(place.waiting).length > 0) {
  const settling = new Set<Promise<unknown>>();
  for await (const work of scan(realMachine, place, DEFAULTS)) {
    appendFileSync(notes, `${work.item.name}\n`);
    const settled: Promise<unknown> = work.done().finally(() => settling.delete(settled));
    settling.add(settled);
    if (settling.size >= SETTLING_LIMIT) await Promise.race(settling);
  }
  await Promise.all(settling);
}
