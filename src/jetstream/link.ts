/**
 * One connection for all that is done with a queue, as long as something is done:
 *
 *   idle      there is none, or one that nobody has used for a moment and that is about to be closed
 *   in use    by calls that need it for themselves only, or by sessions until they end
 *
 * A queue has no end that anybody tells it of; but a connection keeps a process alive, and a command has to end.
 */

import type { Machine } from '../os/ports.ts';
import { type Connection, connectTo } from './client.ts';
import type { Location } from './location.ts';

/** Between two calls of a program that waits for each. */
const LINGER_MS = 20;

export class Link {
  readonly location: Location;
  readonly #machine: Machine;
  #connection: Promise<Connection> | undefined;
  #users = 0;
  #callOff: () => void = () => {};

  constructor(machine: Machine, location: Location) {
    this.#machine = machine;
    this.location = location;
  }

  /** Throws `not-reachable`. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.take();
    try {
      return await work(connection);
    } finally {
      this.giveBack();
    }
  }

  /** To be given back. */
  async take(): Promise<Connection> {
    this.#callOff();
    this.#users += 1;
    try {
      return await this.#open();
    } catch (error) {
      this.giveBack();
      throw error;
    }
  }

  async #open(): Promise<Connection> {
    this.#connection ??= connectTo(this.#machine, this.location);
    const pending = this.#connection;
    try {
      const connection = await pending;
      if (!connection.nats.isClosed()) return connection;
    } catch (error) {
      if (this.#connection === pending) this.#connection = undefined;
      throw error;
    }
    if (this.#connection === pending) this.#connection = undefined;
    return this.#open();
  }

  giveBack(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#callOff();
    this.#callOff = this.#machine.clock.after(LINGER_MS, () => {
      const connection = this.#connection;
      this.#connection = undefined;
      void connection?.then(({ nats }) => nats.close()).catch(() => {}); // it is of no use to anybody any more
    });
  }
}
