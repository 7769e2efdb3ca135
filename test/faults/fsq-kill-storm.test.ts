/**
 * kill -9 on scanners of fsq and on their programs, at moments nobody has chosen well, while items come in. Each run notes
 * its start and its end, and looks whether another run of its item is alive.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createFsq } from '../../src/fsq/fsq.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance, pauseMs } from './support/chance.ts';
import { LONGER } from './support/needs.ts';
import { living, signal, spawnGroup } from './support/storm.ts';

const KILLS = 40 * LONGER;
const SCANNERS = 3;
const FSQ = fileURLToPath(new URL('../../dist/bin/fsq', import.meta.url));

/** `run.sh DIR ITEM`: checks its input, and that it is alone. */
const RUN = `#!/bin/sh
[ "$(cat)" = "content of $2" ] || { echo "torn $2" >> "$1/notes"; exit 100; }
read -r before 2>/dev/null < "$1/runs/$2" && grep -qs "run.sh" "/proc/$before/cmdline" && echo "beside $2" >> "$1/notes"
echo $$ > "$1/runs/$2"
echo "start $2" >> "$1/notes"
sleep 0.0$(($$ % 4))
echo "end $2" >> "$1/notes"
`;

const temporary = useTemporary();

describe('kill -9 of scanners at any moment', () => {
  it('loses no item, and runs none beside itself', { timeout: 300_000 * LONGER }, async () => {
    const random = chance();
    const directory = temporary.path();
    const queue = await createFsq(realMachine, `${directory}/queue`);
    mkdirSync(`${directory}/runs`);
    writeFileSync(`${directory}/run.sh`, RUN, { mode: 0o755 });
    writeFileSync(`${directory}/notes`, '');
    const start = () =>
      spawnGroup(
        FSQ,
        ['-r', directory, 'scan', '-m', '0', 'queue', `${directory}/run.sh`, directory],
        process.env,
      );
    const scanners = Array.from({ length: SCANNERS }, start);
    let added = 0;
    const add = async () => {
      const params = [String(added)];
      await queue.add({ params, payload: `content of ${added}` }, { durability: 'crash-safe' });
      added += 1;
    };
    for (let kills = 0; kills < KILLS; ) {
      for (let n = 0; n < 3; n++) await add();
      await pauseMs(random.between(0, 80));
      const victim = random.between(0, SCANNERS - 1);
      const scanner = scanners[victim];
      if (scanner !== undefined && signal(scanner.pid, 'SIGKILL')) kills += 1;
      await scanner?.ended;
      scanners[victim] = start();
    }
    for (const { ended } of scanners) await ended;
    // What a killed scanner's program had is free when that has ended.
    await eventually(async () => {
      await start().ended;
      expect(readdirSync(`${queue.location}/queue`)).toEqual([]);
    });
    const notes = readFileSync(`${directory}/notes`, 'utf8').split('\n').slice(0, -1);
    const ended = new Set(notes.filter((note) => note.startsWith('end ')));
    console.log(
      `kill storm of fsq, seed ${random.seed}: ${KILLS} kills, ${added} items, ${notes.length / 2} runs`,
    );
    expect(notes.filter((note) => /^(torn|beside) /.test(note))).toEqual([]);
    expect(readdirSync(`${queue.location}/fail`)).toEqual([]);
    expect(readdirSync(`${queue.location}/done`).length).toBe(added);
    expect(ended.size).toBe(added);
    await eventually(() => {
      expect(living().filter(({ command }) => command.includes(directory))).toEqual([]);
    });
  });
});
