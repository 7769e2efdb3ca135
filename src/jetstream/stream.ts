/** The stream of a queue: making it, and how safe what is in it is. */

import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { Machine } from '../os/ports.ts';
import { sleep } from '../os/sleep.ts';
import { QueueError } from '../queue/errors.ts';
import type { Connection } from './client.ts';
import { Link } from './link.ts';
import { type Location, parseLocation } from './location.ts';
import { apiErrorOf } from './patience.ts';
import { prefixOf, streamOf } from './subjects.ts';

export type StreamMade = {
  /** Undefined: it was there already. */
  readonly made: boolean;
  /** On so many servers is each of its messages. */
  readonly replicas: number;
};

/** What is taken where nobody says, if the servers are that many. */
const REPLICAS = 3;
const GATHER_MS = 10_000;
const LOOK_MS = 250;
const STREAM_NOT_FOUND = 10059;

/** Makes a queue; one that is there stays as it is. `replicas` left out: three where there are three servers. */
export async function initStream(machine: Machine, text: string, replicas?: number): Promise<StreamMade> {
  const location = parseLocation(text);
  return new Link(machine, location).use(async (connection) => {
    const there = await replicasOf(location, connection);
    if (there !== undefined) return { made: false, replicas: there };
    for (const count of replicas === undefined ? [REPLICAS, 1] : [replicas]) {
      if (await gathered(machine, connection, () => makeStream(location, connection, count)))
        return { made: true, replicas: count };
    }
    throw new QueueError('not-possible', `${text}: there are no ${replicas} servers to keep it`);
  });
}

/** Servers of a cluster that have just begun do not know each other yet, and nobody can say how many there will be. */
async function gathered(
  { clock }: Machine,
  { nats }: Connection,
  make: () => Promise<boolean>,
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + (nats.info?.cluster === undefined ? 0 : GATHER_MS);
  for (;;) {
    if (await make()) return true;
    if (clock.monotonicMs() >= deadlineMs) return false;
    await sleep(clock, LOOK_MS);
  }
}

async function replicasOf(
  { name }: Location,
  { manager, patiently }: Connection,
): Promise<number | undefined> {
  return patiently(async () => {
    try {
      return (await manager.streams.info(streamOf(name))).config.num_replicas;
    } catch (error) {
      if (apiErrorOf(error)?.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  });
}

/** Of more replicas than there are servers: "replicas > 1 not supported in non-clustered mode", "no suitable peers". */
const TOO_MANY_REPLICAS = new Set([10074, 10005, 10052]);

async function makeStream(
  { name }: Location,
  { manager, patiently }: Connection,
  replicas: number,
): Promise<boolean> {
  return patiently(async () => {
    try {
      await manager.streams.add({
        name: streamOf(name),
        description: 'a queue of intray',
        subjects: [`${prefixOf(name)}.>`],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        // A server that is full must refuse jobs, not forget old ones.
        discard: DiscardPolicy.New,
        max_msgs_per_subject: 1,
        num_replicas: replicas,
      });
      return true;
    } catch (error) {
      if (TOO_MANY_REPLICAS.has(apiErrorOf(error)?.code ?? 0)) return false;
      throw error;
    }
  });
}
