/**
 * The looks that all who watch share: however many they are, the queues are looked at by one after the other.
 *
 *     asleep --fresh--> looking --> known --fresh, and it is too old--> looking
 *
 *   asleep    nobody has asked yet
 *   looking   who asks meanwhile gets this look, also if it began before: it is as new as any
 *   known     it is given out as long as it is not too old for who asks
 *
 * Each look that shows something else than the one before has another version. How old jobs are is no news.
 */

import { toMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import type { Keeper, KeeperOptions } from '../../queue/keeper.ts';
import { RateMeter } from '../../queue/rate-meter.ts';
import type { QueueSnapshot } from '../../queue/snapshot.ts';
import { seeQueues } from '../see.ts';
import type { SeenQueue } from '../seen.ts';

export type Look = {
  readonly queues: readonly SeenQueue[];
  readonly version: number;
  readonly takenMs: number;
  /** By the clock that never goes back: when it was done, and how long it took. */
  readonly doneMs: number;
  readonly tookMs: number;
};

export type Looks = {
  /** A look that was done no longer than `maxAgeMs` ago. */
  fresh(maxAgeMs: number): Promise<Look>;
  /**
   * The same, but where looks take long, as of 100,000 jobs, it may be some times as old as a look takes: who goes from
   * page to page need not wait. Those who watch are told of the next one.
   */
  recent(maxAgeMs: number): Promise<Look>;
  /** A look that begins now: of what somebody has just changed. */
  renewed(): Promise<Look>;
};

const RATE_MS = 60_000;
/** How old a look may be for `recent`: so many times as long as it took. */
const PATIENCE = 10;
const OLDEST_MS = 15_000;

export function newLooks(machine: Machine, paths: readonly string[], options: KeeperOptions): Looks {
  const { clock } = machine;
  const keepers = new Map<string, Keeper>();
  const meters = new Map<string, RateMeter>();
  let known: Look | undefined;
  let shown = '';
  let looking: Promise<Look> | undefined;

  const look = async (): Promise<Look> => {
    const begunMs = clock.monotonicMs();
    const { queues } = await seeQueues(machine, paths, options, keepers);
    const doneMs = clock.monotonicMs();
    const rated = queues.map((queue) => withRate(queue, meters, doneMs));
    for (const location of meters.keys()) if (!keepers.has(location)) meters.delete(location);
    const shows = JSON.stringify(queues.map(marksOf));
    const version = (known?.version ?? 0) + (shows === shown ? 0 : 1);
    shown = shows;
    known = { queues: rated, version, takenMs: toMs(clock.now()), doneMs, tookMs: doneMs - begunMs };
    return known;
  };
  const fresh = async (maxAgeMs: number): Promise<Look> => {
    if (known !== undefined && clock.monotonicMs() - known.doneMs <= maxAgeMs) return known;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  return {
    fresh,
    recent: async (maxAgeMs) => {
      if (known === undefined) return fresh(maxAgeMs);
      const allowedMs = Math.max(maxAgeMs, Math.min(PATIENCE * known.tookMs, OLDEST_MS));
      return fresh(allowedMs);
    },
    renewed: async () => {
      // One that is under way may have begun before.
      await looking?.catch(() => {});
      return fresh(Number.NEGATIVE_INFINITY);
    },
  };
}

function withRate(queue: SeenQueue, meters: Map<string, RateMeter>, nowMs: number): SeenQueue {
  if (queue.kind === 'unseen') return queue;
  const { waiting, running } = queue.snapshot;
  const meter = meters.get(queue.location) ?? new RateMeter();
  meters.set(queue.location, meter);
  meter.look(nowMs, waiting, running);
  return { ...queue, rate: meter.rate(RATE_MS) };
}

/** What a page says of it, ages left out: of 100,000 jobs not each, but what changes when one does. */
function marksOf(queue: SeenQueue): unknown {
  if (queue.kind === 'unseen') return [queue.location, queue.problem];
  const { counts, paused, running, waiting, failed, lanes, workers, alone, damage, unreadable } =
    queue.snapshot;
  const jobs = [...waiting.slice(0, MARKED_JOBS), ...running, ...failed.slice(0, MARKED_JOBS)];
  return [
    queue.location,
    counts,
    paused,
    jobs.map(({ id, attempts }) => [id, attempts]),
    lanesMark(lanes),
    workers.map(({ name, life }) => [name, life]),
    alone?.pid,
    damage,
    unreadable.length,
  ];
}

const MARKED_JOBS = 200;

function lanesMark(lanes: QueueSnapshot['lanes']): unknown {
  return lanes.map(({ lane, next, missing }) => [lane, String(next), String(missing)]);
}
