/**
 * The side that takes jobs: it adds to a queue what the other side offers, until that hangs up.
 *
 * A job is added under its name, and its payload is asked for only when the queue wants to read it: of a job that is known
 * nothing is sent.
 */

import type { Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import { type CarriedJob, newJobOf } from '../carried.ts';
import type { LocalQueue } from '../local-target.ts';
import { Room } from '../room.ts';
import { isRefusal } from '../target.ts';
import type { Connection, Ended } from './connection.ts';
import { Incoming } from './incoming.ts';
import { MOST_OFFERS } from './limits.ts';
import { type Heard, Link, problemOf } from './link.ts';
import type { Hello } from './messages.ts';
import { partsOf, removeOldParts } from './parts.ts';

export type TakerOptions = {
  /** No more jobs than this are to wait; the giver may ask for fewer. */
  readonly maxWaiting?: number | undefined;
  /** Where large payloads are until all of them is there. Default: see `partsOf`. */
  readonly parts?: string | undefined;
  readonly onTaken?: ((job: CarriedJob, id: string, duplicate: boolean) => void) | undefined;
};

/** `wrong`: why the other side could not be gone on with; left out when it has hung up as it should. */
export type TakerReport = { readonly taken: number; readonly ended: Ended; readonly wrong?: unknown };

/** Closes the descriptors in the end, and sees to it that the other side ends. */
export async function takeJobs(
  machine: Machine,
  local: LocalQueue,
  connection: Connection,
  options: TakerOptions = {},
): Promise<TakerReport> {
  const directory = options.parts ?? (await partsOf(machine, local.queue.location));
  await removeOldParts(machine, directory);
  return new Taker(machine, local, connection, { ...options, parts: directory }).run();
}

class Taker {
  readonly #machine: Machine;
  readonly #local: LocalQueue;
  readonly #options: TakerOptions & { readonly parts: string };
  readonly #connection: Connection;
  readonly #link: Link;
  readonly #room: Promise<Room>;
  readonly #incoming = new Map<number, Incoming>();
  readonly #takes = new Set<Promise<void>>();
  /** Aborted: nothing more is to come. */
  readonly #over = new AbortController();
  #taken = 0;
  #wrong: unknown;

  constructor(
    machine: Machine,
    local: LocalQueue,
    connection: Connection,
    options: TakerOptions & { readonly parts: string },
  ) {
    this.#connection = connection;
    this.#machine = machine;
    this.#local = local;
    this.#options = options;
    const { keepsOrder } = local;
    this.#link = new Link(
      machine,
      connection,
      { role: 'taker', keepsOrder },
      {
        onMessage: (message) => this.#hear(message),
        onData: (job, bytes) => this.#incoming.get(job)?.take(bytes),
        onLost: (error) => this.#end(error),
      },
    );
    this.#room = this.#link.hello.then((hello) => this.#roomFor(hello));
    this.#room.catch((error) => this.#end(error));
  }

  async run(): Promise<TakerReport> {
    await new Promise<void>((resolve) => {
      if (this.#over.signal.aborted) resolve();
      else this.#over.signal.addEventListener('abort', () => resolve());
    });
    const lost = this.#wrong ?? new QueueError('not-connected', 'the connection is lost');
    for (const incoming of this.#incoming.values()) incoming.break(lost);
    // What has come as a whole is added, though nobody hears of it any more.
    await Promise.all(this.#takes);
    const ended = await this.#connection.end(this.#link.close());
    return { taken: this.#taken, ended, ...(this.#wrong === undefined ? {} : { wrong: this.#wrong }) };
  }

  #roomFor({ role, maxWaiting = Number.POSITIVE_INFINITY }: Hello): Room {
    if (role !== 'giver') {
      throw new QueueError('not-connected', 'the other side takes jobs too, and does not give any');
    }
    const most = Math.min(maxWaiting, this.#options.maxWaiting ?? Number.POSITIVE_INFINITY);
    return new Room(this.#machine.clock, this.#local.queue, most);
  }

  #hear(message: Heard): void {
    switch (message.say) {
      case 'offer': {
        const take = this.#take(message.job, message.carried).finally(() => this.#takes.delete(take));
        this.#takes.add(take);
        return;
      }
      case 'end':
        void this.#incoming.get(message.job)?.end(message.bytes, message.crc);
        return;
      case 'drop':
        this.#incoming.get(message.job)?.break(new QueueError('not-connected', 'it was dropped'));
        return;
      case 'sorry':
        this.#end(new QueueError('not-connected', message.message));
    }
  }

  async #take(job: number, carried: CarriedJob): Promise<void> {
    const link = this.#link;
    const incoming = new Incoming({
      machine: this.#machine,
      name: carried.name,
      directory: this.#options.parts,
      go: (from) => link.send({ say: 'go', job, from }),
    });
    if (this.#incoming.size >= MOST_OFFERS || this.#incoming.has(job)) {
      link.send({ say: 'later', job, message: `${MOST_OFFERS} jobs are on their way already` });
      return;
    }
    this.#incoming.set(job, incoming);
    let done = false;
    try {
      const room = await this.#room;
      const leaveRoom = await room.take(this.#over.signal, () => link.send({ say: 'full', job }));
      try {
        const { queue } = this.#local;
        const added = await queue.add({
          ...newJobOf(carried),
          payload: incoming.payload(),
        });
        done = true;
        this.#taken += 1;
        this.#options.onTaken?.(carried, added.id, added.duplicate);
        link.send({ say: 'done', job, id: added.id, duplicate: added.duplicate });
      } finally {
        leaveRoom();
      }
    } catch (error) {
      link.send({ say: isRefusal(error) ? 'refuse' : 'later', job, ...problemOf(error) });
    } finally {
      this.#incoming.delete(job);
      await incoming.close(done).catch(() => {}); // it is litter by now, and goes after a month
    }
  }

  #end(error: unknown): void {
    this.#wrong ??= error;
    if (error !== undefined) this.#link.send({ say: 'sorry', ...problemOf(error) });
    this.#over.abort();
  }
}
