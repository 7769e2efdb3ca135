/** Takes the pictures. */

import { toMs } from '../../../os/calendar.ts';
import type { Machine } from '../../../os/ports.ts';
import { takeSnapshot } from '../../../spool/home/snapshot.ts';
import type { Decoder } from '../../../spool/open-packet.ts';
import { sentenceOf } from '../../failure.ts';
import type { NamedQueues } from '../find-queues.ts';
import { DetailReader } from './details.ts';
import { NO_DETAILS, type Picture, type QueuePicture, type Rates, type SeenQueue } from './picture.ts';
import { RateMeter } from './rates.ts';

const TEN_SECONDS_MS = 10_000;
const MINUTE_MS = 60_000;

/** What is looked into: the queue that is shown, and what of it. */
export type Focus = { readonly queue: string | undefined; readonly filter: string };

export class Looker {
  readonly #machine: Machine;
  readonly #queues: NamedQueues;
  readonly #decoder: Decoder | undefined;
  readonly #details: DetailReader;
  #meters = new Map<string, RateMeter>();

  constructor(machine: Machine, queues: NamedQueues, decoder: Decoder | undefined) {
    this.#machine = machine;
    this.#queues = queues;
    this.#decoder = decoder;
    this.#details = new DetailReader(machine, decoder);
  }

  async look(focus: Focus): Promise<Picture> {
    const takenMs = this.#nowMs();
    const queues: QueuePicture[] = [];
    const meters = new Map<string, RateMeter>();
    for (const { location } of await this.#queues.find()) {
      const meter = this.#meters.get(location) ?? new RateMeter();
      meters.set(location, meter);
      queues.push(await this.#lookAt(location, meter));
    }
    this.#meters = meters;
    return this.detail({ takenMs, queues }, focus);
  }

  /** The same picture, with what the files of the jobs say that are shown. */
  async detail(picture: Picture, { queue: name, filter }: Focus): Promise<Picture> {
    const queue = picture.queues.find((one) => one.name === name);
    if (queue?.kind !== 'seen') return picture;
    const details = await this.#details.read(queue, filter, this.#nowMs());
    return {
      ...picture,
      queues: picture.queues.map((one): QueuePicture => (one === queue ? { ...queue, details } : one)),
    };
  }

  /** One queue that cannot be looked at does not hide the others. */
  async #lookAt(name: string, meter: RateMeter): Promise<QueuePicture> {
    try {
      const snapshot = await takeSnapshot(this.#machine, name, { decoder: this.#decoder });
      const stems = new Set<string>();
      for (const { stem } of snapshot.waiting) stems.add(stem);
      for (const { stem } of snapshot.running) stems.add(stem);
      meter.look(this.#machine.clock.monotonicMs(), stems);
      return { kind: 'seen', name, rates: ratesOf(meter), snapshot, details: NO_DETAILS } satisfies SeenQueue;
    } catch (error) {
      return { kind: 'unseen', name, rates: ratesOf(meter), problem: firstLine(sentenceOf(error)) };
    }
  }

  #nowMs(): number {
    return toMs(this.#machine.clock.now());
  }
}

function ratesOf(meter: RateMeter): Rates {
  return { tenSeconds: meter.rate(TEN_SECONDS_MS), minute: meter.rate(MINUTE_MS) };
}

export function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
