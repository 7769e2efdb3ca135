/** Three servers, each job on all of them, and what happens to servers. No job that was accepted is lost, none runs twice. */

import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import type { Entry } from '../../src/jetstream/picture.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { LONGER } from '../faults/support/needs.ts';
import { leaderOf, upToDate, withLog } from '../support/jetstream.ts';
import { type NatsServer, natsLack, useNats } from '../support/nats.ts';
import { eventually, useTemporary } from '../support/temporary.ts';
import { survive, TROUBLE_MS } from '../support/trouble.ts';

useTemporary();
const nats = useNats(3);
const lack = natsLack();

/** With INTRAY_LONG=1 it is 10,000 each. */
const MOST_JOBS = LONGER === 1 ? 1000 : 10_000;
const FEWER_JOBS = LONGER === 1 ? 300 : 10_000;
const DOWN_MS = 3000;

async function throughIt(
  name: string,
  jobs: number,
  trouble: (location: string) => Promise<void>,
): Promise<void> {
  const location = `nats://${nats.addresses}/${name}`;
  await survive({ location, jobs, replicas: nats.servers.length, trouble: () => trouble(location) });
  await eventually(() => upToDate(location, nats.servers.length), TROUBLE_MS);
}

async function leader(location: string): Promise<NatsServer> {
  const wanted = await leaderOf(location);
  const found = nats.servers.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`there is no server ${wanted}`);
  return found;
}

describe.skipIf(lack !== undefined)(`three servers${lack === undefined ? '' : `: ${lack}`}`, () => {
  it('have one of many who change a job at once, and one of many who add it', async () => {
    const location = `nats://${nats.addresses}/one`;
    await initStream(realMachine, location, nats.servers.length);
    const queues = await Promise.all([1, 2, 3, 4].map(() => openJetStream(realMachine, location)));
    for (let round = 0; round < 20; round++) {
      const added = await Promise.all(queues.map((queue) => queue.add({ name: `job ${round}` })));
      expect(added.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      const { id = '' } = added[0] ?? {};
      const counted = await Promise.all(
        queues.map(() =>
          withLog(location, async (log) => {
            const entry = log.picture.entries.get(id) as Entry;
            return log.change(entry, 0, entry.state, { place: 'failed' });
          }),
        ),
      );
      expect(counted.filter((isOurs) => isOurs)).toHaveLength(1);
    }
  });

  it(
    'the one that leads is killed, and comes back later',
    async () => {
      await throughIt('killed', MOST_JOBS, async (location) => {
        const server = await leader(location);
        await server.kill();
        await wait(DOWN_MS);
        await server.start();
      });
    },
    2 * TROUBLE_MS,
  );

  it(
    'the one that leads is cut off from the others, and comes back believing that it leads',
    async () => {
      await throughIt('frozen', FEWER_JOBS, async (location) => {
        const server = await leader(location);
        server.freeze();
        try {
          await eventually(
            async () => expect(await leaderOf(location, server)).not.toBe(server.name),
            60_000,
          );
        } finally {
          server.thaw();
        }
      });
    },
    2 * TROUBLE_MS,
  );

  it(
    'all are killed at once, and begin again',
    async () => {
      await throughIt('restarted', FEWER_JOBS, async () => {
        await Promise.all(nats.servers.map((server) => server.kill()));
        await Promise.all(nats.servers.map((server) => server.start()));
      });
    },
    2 * TROUBLE_MS,
  );
});
