/**
 * kill -9 on scanners of fsq and on their programs, at moments nobody has chosen well, while items come in. Each run notes
 * its start and its end, and looks whether another run of its item is alive.
 */

import { describe, expect, it } from 'vitest';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance } from './support/chance.ts';
import { FsqStorm } from './support/fsq-storm.ts';
import { LONGER, lacking } from './support/needs.ts';
import { living, stormHere } from './support/storm.ts';

const KILLS = 40 * LONGER;

const reason = lacking({ tools: ['bash', 'flock'] });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(
  `kill -9 of scanners at any moment${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('loses no item, and runs none beside itself', { timeout: 300_000 * LONGER }, async () => {
      const random = chance();
      const storm = new FsqStorm(stormHere(temporary.path()), random);
      await storm.blow(KILLS);
      console.log(`kill storm of fsq, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
      storm.judge();
      await eventually(() => {
        expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
      });
    });
  },
);
