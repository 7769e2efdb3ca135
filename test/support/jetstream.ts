/** What others do to a queue on JetStream, for tests. */

import { Link } from '../../src/jetstream/link.ts';
import { parseLocation } from '../../src/jetstream/location.ts';
import { Log } from '../../src/jetstream/log.ts';
import type { Entry } from '../../src/jetstream/picture.ts';
import { giveBack } from '../../src/jetstream/recovery.ts';
import { realMachine } from '../../src/os/real/index.ts';

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
