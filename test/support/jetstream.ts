/** What others do to a queue on JetStream, for tests. */

import { connectTo } from '../../src/jetstream/client.ts';
import { Link } from '../../src/jetstream/link.ts';
import { parseLocation } from '../../src/jetstream/location.ts';
import { Log } from '../../src/jetstream/log.ts';
import type { Entry } from '../../src/jetstream/picture.ts';
import { giveBack } from '../../src/jetstream/recovery.ts';
import { prefixOf, streamOf } from '../../src/jetstream/subjects.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NatsServer } from './nats.ts';

export function withLog<T>(location: string, work: (log: Log) => Promise<T>): Promise<T> {
  return Log.look(realMachine, new Link(realMachine, parseLocation(location)), work);
}

export function pauseQueue(location: string, paused: boolean): Promise<void> {
  return withLog(location, async ({ wire, subjects }) => {
    await wire.put(subjects.paused, JSON.stringify({ paused }));
  });
}

/** As those do who think that its worker is dead. */
export function takeAway(location: string, id: string): Promise<void> {
  return withLog(location, async (log) => {
    await giveBack(log, log.picture.entries.get(id) as Entry, 0);
    await log.tidied();
  });
}

/** What looks like a job and is none. */
export function putStranger(location: string): Promise<void> {
  return withLog(location, async ({ wire, subjects }) => {
    await wire.put(subjects.job('stranger'), 'no job');
  });
}

/** All that is in the log, but for the signs of life of workers. */
export function everyMessage(location: string): Promise<string[]> {
  return withLog(location, async ({ wire }) => {
    const all: string[] = [];
    const follower = await wire.follow(({ seq, subject }) => all.push(`${seq} ${subject}`));
    await follower.caughtUp;
    await follower.close();
    return all;
  });
}

/** The name of the server that leads the queue's stream; asked of another one than `but`. */
export async function leaderOf(text: string, but?: NatsServer): Promise<string> {
  const location = parseLocation(text);
  const servers = location.servers.filter((address) => address !== but?.address);
  const { nats, manager } = await connectTo(realMachine, { ...location, servers });
  try {
    return (await manager.streams.info(streamOf(location.name))).cluster?.leader ?? '';
  } finally {
    await nats.close();
  }
}

/** Throws as long as fewer servers have all that the leader has. */
export async function upToDate(location: string, count: number): Promise<void> {
  const { current } = await withLog(location, ({ wire }) => wire.facts());
  if (current < count) throw new Error(`${current} servers are up to date`);
}

/** As an administrator may. */
export async function removeStream(text: string): Promise<void> {
  const location = parseLocation(text);
  const { nats, manager } = await connectTo(realMachine, location);
  await manager.streams.delete(streamOf(location.name));
  await nats.close();
}

/** Another stream with the subjects of a queue, meanwhile. */
export async function withStreamOf(name: string, text: string, work: () => Promise<void>): Promise<void> {
  const location = parseLocation(text);
  const { nats, manager } = await connectTo(realMachine, location);
  await manager.streams.add({ name, subjects: [`${prefixOf(location.name)}.>`] });
  try {
    await work();
  } finally {
    await manager.streams.delete(name);
    await nats.close();
  }
}
