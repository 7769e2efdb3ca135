/** Takes the pictures. */

import type { NamedQueues } from '../../../open/find.ts';
import { openKeeper } from '../../../open/open.ts';
import { toMs } from '../../../os/calendar.ts';
import type { Machine } from '../../../os/ports.ts';
import type { Keeper } from '../../../queue/keeper.ts';
import { RateMeter } from '../../../queue/rate-meter.ts';
import { sentenceOf } from '../../failure.ts';
import { DetailReader } from './details.ts';
import { NO_DETAILS, type Picture, type QueuePicture, type Rates, type SeenQueue } from './picture.ts';

const TEN_SECONDS_MS = 10_000;
const MINUTE_MS = 60_000;

/** What is looked into: the queue that is shown, and what of it. */
export type Focus = { readonly queue: string | undefined; readonly filter: string };

export class Looker {
  readonly #machine: Machine;
  readonly #queues: NamedQueues;
  readonly #decoder: string | undefined;
  readonly #details: DetailReader;
  #meters = new Map<string, RateMeter>();
  #keepers = new Map<string, Keeper>();

  constructor(machine: Machine, queues: NamedQueues, decoder: string | undefined) {
    this.#machine = machine;
    this.#queues = queues;
    this.#decoder = decoder;
    this.#details = new DetailReader(machine);
  }

  async look(focus: Focus): Promise<Picture> {
    const takenMs = this.#nowMs();
    const queues: QueuePicture[] = [];
    const meters = new Map<string, RateMeter>();
    const keepers = new Map<string, Keeper>();
    for (const { location } of await this.#queues.find()) {
      const meter = this.#meters.get(location) ?? new RateMeter();
      meters.set(location, meter);
      queues.push(await this.#lookAt(location, meter, keepers));
    }
    this.#meters = meters;
    this.#keepers = keepers;
    return this.detail({ takenMs, queues }, focus);
  }

  /** The same picture, with what the files of the jobs say that are shown. */
  async detail(picture: Picture, { queue: name, filter }: Focus): Promise<Picture> {
    const queue = picture.queues.find((one) => one.name === name);
    const keeper = this.#keepers.get(name ?? '');
    if (queue?.kind !== 'seen' || keeper === undefined) return picture;
    const details = await this.#details.read(keeper, queue, filter, this.#nowMs());
    return {
      ...picture,
      queues: picture.queues.map((one): QueuePicture => (one === queue ? { ...queue, details } : one)),
    };
  }

  /** One queue that cannot be looked at does not hide the others. */
  async #lookAt(name: string, meter: RateMeter, keepers: Map<string, Keeper>): Promise<QueuePicture> {
    try {
      const known = this.#keepers.get(name);
      const keeper = known ?? (await openKeeper(this.#machine, name, { decoder: this.#decoder }));
      keepers.set(name, keeper);
      const snapshot = await keeper.look();
      meter.look(this.#machine.clock.monotonicMs(), snapshot.waiting, snapshot.running);
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
