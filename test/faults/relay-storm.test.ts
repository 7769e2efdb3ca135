/**
 * kill -9 on both sides of a relay, again and again, at moments nobody has chosen well: each job arrives once and whole, and
 * those of a lane in their order. Instead of ssh there is a script that runs the other side here.
 */

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { homeQueue } from '../support/home.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { arrivedAt, digestOf } from './support/arrived.ts';
import { type Chance, chance, pauseMs } from './support/chance.ts';
import { LONGER } from './support/needs.ts';
import { childrenOf, living, signal, spawnGroup } from './support/storm.ts';

const KILLS = 12 * LONGER;
/** More are added when all have arrived and the storm is not over. */
const JOBS_AT_ONCE = 20;
const LANES = ['a', 'b', 'c', undefined];
/** One in so many has a payload that is kept in a part on its way. */
const LARGE_EACH = 8;
const LARGE_BYTES = 3_000_000;
const DEADLINE_MS = 300_000 * LONGER;
const temporary = useTemporary();

const SSH = '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n';

function payloadOf(number: number): Buffer {
  return Buffer.alloc(number % LARGE_EACH === 0 ? LARGE_BYTES : 1000, `${number} `);
}

/** Kills the relay, the other side, or both. Returns how many were there to be killed. */
function strike(random: Chance, pid: number): number {
  const others = living().filter(
    ({ command }) =>
      command.includes('--serve') && command.includes(temporary.path()) && !command.startsWith('sh '),
  );
  const choice = random.between(0, 2);
  const victims = [...(choice === 1 ? [] : [pid]), ...(choice === 0 ? [] : others.map((other) => other.pid))];
  return victims.filter((victim) => signal(victim, 'SIGKILL')).length;
}

describe('kill -9 on both sides of a relay', () => {
  it('loses nothing, doubles nothing, and keeps the order of lanes', { timeout: DEADLINE_MS }, async () => {
    const random = chance();
    const source = await homeQueue(temporary.path('source'));
    const target = await homeQueue(temporary.path('target'));
    const ssh = temporary.path('ssh');
    writeFileSync(ssh, SSH, { mode: 0o755 });
    let jobs = 0;
    const addSome = async () => {
      for (const end = jobs + JOBS_AT_ONCE; jobs < end; jobs++) {
        const lane = LANES[jobs % LANES.length];
        await source.add({
          params: [`${jobs}`],
          payload: payloadOf(jobs),
          ...(lane === undefined ? {} : { lane }),
        });
      }
    };
    let kills = 0;
    const words = ['relay', source.location, `ssh://elsewhere${target.location}`, '--ssh', ssh];
    while (kills < KILLS) {
      if (!(await source.stirs())) await addSome();
      const relay = spawnGroup(INTRAY, [...words, '--remote-intray', INTRAY, '--watch'], process.env);
      await pauseMs(random.between(50, 500));
      kills += strike(random, relay.pid);
      // Should the other side alone have been struck, the relay connects anew; it may do so for a while.
      await pauseMs(random.between(0, 300));
      signal(relay.pid, 'SIGKILL');
      for (const { pid } of childrenOf(relay.pid)) signal(pid, 'SIGKILL');
      await relay.ended;
    }
    await eventually(() => {
      expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
    });
    const last = spawnGroup(INTRAY, [...words, '--remote-intray', INTRAY], process.env);
    expect([0, 3]).toContain((await last.ended).code);
    const arrived = await arrivedAt(target);
    console.log(`relay storm, seed ${random.seed}: ${kills} kills, ${arrived.length} jobs`);
    expect(arrived.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: jobs }, (_, number) => number),
    );
    expect(arrived.filter(({ number, digest }) => digest !== digestOf(payloadOf(number)))).toEqual([]);
    for (const lane of ['a', 'b', 'c']) {
      const numbers = arrived.filter((job) => job.lane === lane).map(({ number }) => number);
      expect(numbers, `lane ${lane}, seed ${random.seed}`).toEqual([...numbers].sort((a, b) => a - b));
    }
  });
});
