/**
 * kill -9 on senders and processors, hundreds of times, at moments nobody has chosen well. Senders share one
 * sequence file, processors one queue; what the jobs did is in a history that they write themselves.
 *
 * A `prepare` that is killed after it has taken its number leaves a gap. The storm rests now and then, and gaps are
 * filled with jobs that do nothing, as the guide says.
 */

import { describe, expect, it } from 'vitest';
import { eventually, useTemporary } from '../support/temporary.ts';
import { chance } from './support/chance.ts';
import { KillStorm } from './support/kill-storm.ts';
import { LONGER, lacking } from './support/needs.ts';
import { living, stormHere } from './support/storm.ts';

const KILLS = 500 * LONGER;

const reason = lacking({ tools: ['bash', 'sleep', 'flock'] });
const temporary = useTemporary();

describe.skipIf(reason !== undefined)(
  `kill -9 at any moment${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    it('loses no job, keeps the order, and runs none twice at once', {
      timeout: 600_000 * LONGER,
    }, async () => {
      const random = chance();
      const storm = new KillStorm(stormHere(temporary.path()), random);
      try {
        await storm.blow(KILLS);
      } finally {
        console.log(`kill storm, seed ${random.seed}: ${JSON.stringify(storm.counts())}`);
      }
      const { problems, runs } = storm.judge();
      expect(problems, `seed ${random.seed}`).toEqual([]);
      expect(runs).toBeGreaterThan(KILLS / 10);
      await eventually(() => {
        expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
      });
    });
  },
);
