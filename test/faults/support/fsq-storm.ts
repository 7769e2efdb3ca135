/** Scanners of fsq that are killed again and again while items come in. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createFsq } from '../../../src/fsq/fsq.ts';
import { realMachine } from '../../../src/os/real/index.ts';
import { eventually } from '../../support/temporary.ts';
import { type Chance, pauseMs } from './chance.ts';
import { type Spawned, type StormPlace, signal, siteOf } from './storm.ts';

const SCANNERS = 3;
const ITEMS_EACH = 3;
const FSQ = fileURLToPath(new URL('../../../dist/bin/fsq', import.meta.url));

/** `run.sh DIR ITEM`: checks its input, and that it is alone: its lock lasts as long as it does, on whatever machine. */
const RUN = `#!/bin/bash
[ "$(cat)" = "content of $2" ] || { echo "torn $2" >> "$1/notes"; exit 100; }
exec 9>> "$1/runs/$2"
flock -n 9 || echo "beside $2" >> "$1/notes"
echo "start $2" >> "$1/notes"
sleep 0.0$(($$ % 4)) 9>&-
echo "end $2" >> "$1/notes"
`;

export class FsqStorm {
  readonly path: string;
  readonly #place: StormPlace;
  readonly #random: Chance;
  #added = 0;
  #kills = 0;

  constructor(place: StormPlace, random: Chance) {
    this.#place = place;
    this.#random = random;
    this.path = `${place.here}/queue`;
    mkdirSync(`${place.notes}/runs`);
    writeFileSync(`${place.notes}/run.sh`, RUN, { mode: 0o755 });
    writeFileSync(`${place.notes}/notes`, '');
  }

  /** So many kills, and then all items are run. */
  async blow(kills: number): Promise<void> {
    const queue = await createFsq(realMachine, this.path);
    const scanners: Spawned[] = [];
    for (let n = 0; n < SCANNERS; n++) scanners.push(await this.#scan(n));
    while (this.#kills < kills) {
      for (let n = 0; n < ITEMS_EACH; n++, this.#added++) {
        const payload = `content of ${this.#added}`;
        await queue.add({ params: [String(this.#added)], payload }, { durability: 'crash-safe' });
      }
      await pauseMs(this.#random.between(0, 80) * this.#place.slowness);
      const at = this.#random.between(0, SCANNERS - 1);
      const victim = scanners[at] as Spawned;
      if (signal(victim.pid, 'SIGKILL')) this.#kills += 1;
      await victim.ended;
      scanners[at] = await this.#scan(at);
    }
    for (const { ended } of scanners) await ended;
    // What a killed scanner's program had is free when that has ended.
    await eventually(async () => {
      await (await this.#scan(0)).ended;
      expect(readdirSync(`${this.path}/queue`)).toEqual([]);
    });
  }

  #scan(turn: number): Promise<Spawned> {
    const { notes, there } = this.#place;
    const args = ['-r', there, 'scan', '-m', '0', 'queue', `${notes}/run.sh`, notes];
    return siteOf(this.#place, turn).start(FSQ, args);
  }

  #notes(): string[] {
    return readFileSync(`${this.#place.notes}/notes`, 'utf8').split('\n').slice(0, -1);
  }

  counts() {
    const runs = this.#notes().filter((note) => note.startsWith('start ')).length;
    return { kills: this.#kills, items: this.#added, runs };
  }

  /** Nothing is lost, torn or run beside itself. */
  judge(): void {
    const notes = this.#notes();
    expect(notes.filter((note) => /^(torn|beside) /.test(note))).toEqual([]);
    expect(readdirSync(`${this.path}/fail`)).toEqual([]);
    expect(readdirSync(`${this.path}/done`).length).toBe(this.#added);
    expect(new Set(notes.filter((note) => note.startsWith('end '))).size).toBe(this.#added);
  }
}
