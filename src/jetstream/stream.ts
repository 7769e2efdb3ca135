/** The stream of a queue: making it, and how safe what is in it is. */

import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import type { Connection } from './client.ts';
import { Link } from './link.ts';
import { type Location, parseLocation } from './location.ts';
import { apiErrorOf, withPatience } from './patience.ts';
import { prefixOf, streamOf } from './subjects.ts';

export type StreamMade = {
  /** False: it was there already. */
  readonly made: boolean;
  /** On so many servers is each of its messages. */
  readonly replicas: number;
};

/** What is taken where nobody says, if the servers are that many. */
const REPLICAS = 3;
const STREAM_NOT_FOUND = 10059;

/** Makes a queue; one that is there stays as it is. `replicas` left out: three where there are three servers. */
export async function initStream(machine: Machine, text: string, replicas?: number): Promise<StreamMade> {
  const location = parseLocation(text);
  return new Link(machine, location).use(async (connection) => {
    const there = await replicasOf(machine, location, connection);
    if (there !== undefined) return { made: false, replicas: there };
    for (const count of replicas === undefined ? [REPLICAS, 1] : [replicas]) {
      if (await makeStream(machine, location, connection, count)) return { made: true, replicas: count };
    }
    throw new QueueError('not-possible', `${text}: there are no ${replicas} servers to keep it`);
  });
}

async function replicasOf(
  { clock }: Machine,
  { text, name }: Location,
  { manager }: Connection,
): Promise<number | undefined> {
  return withPatience(clock, text, async () => {
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
  { clock }: Machine,
  { text, name }: Location,
  { manager }: Connection,
  replicas: number,
): Promise<boolean> {
  return withPatience(clock, text, async () => {
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
