/**
 * From a directory to JetStream, on to another queue there, and back to a directory: three relays, each killed with -9 again
 * and again, and their server too. Each job arrives once and whole, and those of a lane in their order.
 */

import { describe, expect, it } from 'vitest';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { homeQueue } from '../support/home.ts';
import { INTRAY } from '../support/intray-cli.ts';
import { natsLack, useNats } from '../support/nats.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { arrivedAt, digestOf } from './support/arrived.ts';
import { chance, pauseMs } from './support/chance.ts';
import { LONGER } from './support/needs.ts';
import { living, type Spawned, signal, spawnGroup } from './support/storm.ts';

const KILLS = 9 * LONGER;
const SERVER_KILLS = 2 * LONGER;
const JOBS = 60 * LONGER;
const LANES = ['a', 'b', undefined];
/** One in so many has a payload that is too large for a message. */
const LARGE_EACH = 7;
const LARGE_BYTES = 300_000;
/** Of a relay that was killed; its jobs on a server come back after this. */
const LEASE = '2s';
const DEADLINE_MS = 240_000 * LONGER;
const temporary = useTemporary();
const nats = useNats();
const lack = natsLack();

function payloadOf(number: number): Buffer {
  return Buffer.alloc(number % LARGE_EACH === 0 ? LARGE_BYTES : 1000, `${number} `);
}

describe.skipIf(lack !== undefined)(
  `kill -9 of relays and their server${lack === undefined ? '' : `: ${lack}`}`,
  () => {
    it('loses nothing, doubles nothing, and keeps the order of lanes', { timeout: DEADLINE_MS }, async () => {
      const random = chance();
      const source = await homeQueue(temporary.path('source'));
      const target = await homeQueue(temporary.path('target'));
      const stations = [
        source.location,
        `nats://${nats.addresses}/first`,
        `nats://${nats.addresses}/second`,
        target.location,
      ];
      for (const station of stations.slice(1, 3)) await initStream(realMachine, station);
      for (let number = 0; number < JOBS; number++) {
        const lane = LANES[number % LANES.length];
        const payload = payloadOf(number);
        await source.add({ params: [`${number}`], payload, ...(lane === undefined ? {} : { lane }) });
      }
      const begin = (at: number): Spawned => {
        const [from = '', to = ''] = stations.slice(at);
        return spawnGroup(INTRAY, ['relay', from, to, '--watch', '--lease', LEASE], process.env);
      };
      const relays = [begin(0), begin(1), begin(2)];
      const [server] = nats.servers;
      const pauses = Array.from({ length: KILLS + SERVER_KILLS }, () => random.between(50, 900));
      for (const [strike, pause] of pauses.entries()) {
        await pauseMs(pause);
        if (strike % Math.ceil(pauses.length / (SERVER_KILLS + 1)) === 3) {
          await server?.kill();
          await pauseMs(random.between(0, 700));
          await server?.start();
          continue;
        }
        const at = random.between(0, relays.length - 1);
        const victim = relays[at] as Spawned;
        signal(victim.pid, 'SIGKILL');
        expect(await victim.ended).toMatchObject({ code: null });
        relays[at] = begin(at);
      }
      await eventually(async () => expect((await target.jobs()).jobs.length).toBe(JOBS), DEADLINE_MS);
      for (const relay of relays) signal(relay.pid, 'SIGTERM');
      // None has ended by itself meanwhile.
      for (const relay of relays) expect(await relay.ended).toMatchObject({ code: null });
      expect(living().filter(({ command }) => command.includes(temporary.path()))).toEqual([]);
      const arrived = await arrivedAt(target);
      console.log(`relays and JetStream, seed ${random.seed}: ${arrived.length} jobs`);
      expect(arrived.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: JOBS }, (_, number) => number),
      );
      expect(arrived.filter(({ number, digest }) => digest !== digestOf(payloadOf(number)))).toEqual([]);
      for (const lane of ['a', 'b']) {
        const numbers = arrived.filter((job) => job.lane === lane).map(({ number }) => number);
        expect(numbers, `lane ${lane}, seed ${random.seed}`).toEqual([...numbers].sort((a, b) => a - b));
      }
    });
  },
);
