/**
 * A queue at the other end of a pair of pipes, as what jobs are brought to.
 *
 *   apart       nobody is connected; `ready` connects
 *   connected   jobs are offered, as many at once as are brought here. When the connection is lost all of them fail: their
 *               jobs are offered again over the next one, where what has come of a large payload is still there
 *
 *     apart --ready--> connected --lost--> apart
 */

import type { Machine } from '../../os/ports.ts';
import { QueueError } from '../../queue/errors.ts';
import type { CarriedJob } from '../carried.ts';
import type { LocalQueue } from '../local-target.ts';
import type { Pace } from '../pace.ts';
import type { Delivered, Payload, Stops, Target } from '../target.ts';
import type { Connection } from './connection.ts';
import { type Heard, Link } from './link.ts';
import { Offer } from './offer.ts';

export type RemoteOptions = {
  readonly connect: () => Promise<Connection>;
  readonly pace: Pace;
  /** No more jobs than this are to wait there. */
  readonly maxWaiting?: number | undefined;
  /** Told that the target has no room for more jobs. */
  readonly onFull?: (() => void) | undefined;
  readonly onLost?: (() => void) | undefined;
  /** Told of each connection, and of the queue at its other end. */
  readonly onConnected?: ((about: Pick<LocalQueue, 'keepsOrder'>) => void) | undefined;
};

type Connected = { readonly link: Link; readonly connection: Connection };

export class RemoteTarget implements Target {
  readonly #machine: Machine;
  readonly #options: RemoteOptions;
  readonly #offers = new Map<number, Offer>();
  #connected: Connected | undefined;
  #connecting: Promise<void> | undefined;
  #leaving: Promise<unknown> = Promise.resolve();
  #next = 1;

  constructor(machine: Machine, options: RemoteOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  async ready(): Promise<void> {
    if (this.#connected !== undefined) return;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async deliver(carried: CarriedJob, payload: Payload, stops: Stops): Promise<Delivered> {
    const link = this.#connected?.link;
    if (link === undefined) throw new QueueError('not-connected', 'the connection is lost');
    const job = this.#next++;
    const { pace, onFull } = this.#options;
    const offer = new Offer({ link, job, payload, pace, stops, onFull });
    this.#offers.set(job, offer);
    try {
      link.send({ say: 'offer', job, carried });
      return await offer.outcome();
    } finally {
      this.#offers.delete(job);
    }
  }

  async close(): Promise<void> {
    await this.#connecting?.catch(() => {});
    const connected = this.#connected;
    this.#connected = undefined;
    if (connected !== undefined) await this.#leave(connected);
    await this.#leaving;
  }

  async #connect(): Promise<void> {
    await this.#leaving;
    const { maxWaiting, connect, onConnected } = this.#options;
    const connection = await connect();
    let connected: Connected | undefined;
    const link = new Link(
      this.#machine,
      connection,
      { role: 'giver', maxWaiting },
      {
        onMessage: (message) => this.#hear(message),
        onData: () => {},
        onLost: (error) => this.#lose(connected, error),
      },
    );
    connected = { link, connection };
    try {
      const { role, keepsOrder = false } = await link.hello;
      if (role !== 'taker') {
        throw new QueueError('not-connected', 'the other side gives jobs too, and does not take any');
      }
      this.#connected = connected;
      onConnected?.({ keepsOrder });
    } catch (error) {
      const why = await this.#leave(connected);
      throw why === undefined ? error : new QueueError('not-connected', why, { cause: error });
    }
  }

  #hear(message: Heard): void {
    switch (message.say) {
      case 'sorry':
        this.#fail(new QueueError('not-connected', message.message)); // and then it hangs up
        return;
      case 'full':
      case 'go':
      case 'done':
      case 'refuse':
      case 'later':
        this.#offers.get(message.job)?.hear(message);
    }
  }

  #lose(connected: Connected | undefined, error: unknown): void {
    if (connected === undefined || this.#connected !== connected) return;
    this.#connected = undefined;
    this.#fail(error ?? new QueueError('not-connected', 'the other side has hung up'));
    this.#leaving = this.#leave(connected);
    this.#options.onLost?.();
  }

  #fail(error: unknown): void {
    for (const offer of this.#offers.values()) offer.fail(error);
  }

  /** Lets the other side end by itself, and sees to it that it does. */
  async #leave({ link, connection }: Connected): Promise<string | undefined> {
    return (await connection.end(link.close())).why;
  }
}
