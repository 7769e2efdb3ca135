/** Queues in numbers, for those who watch many machines. Pure. */

import type { LaneSnapshot, QueueSnapshot, WaitingJob } from '../queue/snapshot.ts';
import type { Gauge, Sample } from './openmetrics.ts';
import { countsWithin, quantile, type RunNumbers } from './run-numbers.ts';

/** One queue, as it was found. */
export type Measured =
  | {
      readonly kind: 'seen';
      readonly snapshot: QueueSnapshot;
      readonly runs: RunNumbers;
      readonly tookMs: number;
      /** Of syncs that were tried there, in seconds, shortest first. */
      readonly syncs: readonly number[];
    }
  /** It could not be looked at: that is a number too. */
  | { readonly kind: 'unseen'; readonly queue: string };

type Seen = Measured & { readonly kind: 'seen' };

/** What is asked of each queue; a label more than the queue's own tells the values of one gauge apart. */
type Asked = {
  readonly name: string;
  readonly help: string;
  readonly unit?: 'seconds';
  readonly of: (seen: Seen) => number | undefined | Labelled;
};

type Labelled = readonly (readonly [label: string, value: string, of: number])[];

/** From what a program on the same machine takes to what a night does. */
const SECONDS = [0.1, 1, 10, 60, 300, 1800, 3600, 21_600, 86_400] as const;
const STARTS = [1, 2, 3, 5, 10] as const;
const QUANTILES = [0.5, 0.9, 0.99, 1] as const;
const LIVES = ['alive', 'dead', 'silent', 'unknown'] as const;

const ASKED: readonly Asked[] = [
  {
    name: 'intray_jobs',
    help: 'Jobs by state. Those that have failed and hold up their lane are failed, not held.',
    of: ({ snapshot }) =>
      Object.entries(jobsByState(snapshot)).map(([state, count]) => ['state', state, count]),
  },
  {
    name: 'intray_queue_paused',
    help: '1 when no job of the queue is started because somebody has paused it.',
    of: ({ snapshot }) => Number(snapshot.paused),
  },
  {
    name: 'intray_oldest_waiting_age_seconds',
    help: 'How long ago the oldest waiting job was added; 0 when none waits.',
    unit: 'seconds',
    of: ({ snapshot: { oldestMs, takenMs } }) =>
      oldestMs === undefined ? 0 : secondsSince(oldestMs, takenMs),
  },
  {
    name: 'intray_oldest_ready_age_seconds',
    help: 'For how long the oldest job could have started that waits for a worker only; 0 when none does.',
    unit: 'seconds',
    of: ({ snapshot }) => oldestReady(snapshot),
  },
  {
    name: 'intray_longest_running_seconds',
    help: 'For how long the job has been running that runs longest; 0 when none runs.',
    unit: 'seconds',
    of: ({ snapshot: { running, takenMs } }) =>
      running.reduce((most, { sinceMs = takenMs }) => Math.max(most, secondsSince(sinceMs, takenMs)), 0),
  },
  {
    name: 'intray_lanes',
    help: 'Lanes that have jobs, by what they do: gap waits for a number that is missing, held for a person.',
    of: ({ snapshot }) => lanesByState(snapshot),
  },
  {
    name: 'intray_workers',
    help: 'Workers by life. One that works the queue alone, as fspl does, is of life alone.',
    of: ({ snapshot: { workers, alone } }) => [
      ...LIVES.map(
        (life) => ['life', life, workers.filter((worker) => worker.life === life).length] as const,
      ),
      ['life', 'alone', alone === undefined ? 0 : 1],
    ],
  },
  {
    name: 'intray_damaged_files',
    help: 'Files of the queue itself that are damaged.',
    of: ({ snapshot }) => snapshot.damage.length,
  },
  {
    name: 'intray_most_attempts',
    help: 'How often that job was started that was started most, of those that wait or run.',
    of: ({ snapshot: { waiting, running } }) =>
      [...running, ...waiting].reduce((most, { attempts }) => Math.max(most, attempts), 0),
  },
  {
    name: 'intray_recorded_runs',
    help: 'Ended runs on record, by outcome, of the newest jobs that are not gone: it falls when jobs are removed.',
    of: ({ runs }) => [...runs.outcomes].sort().map(([outcome, count]) => ['outcome', outcome, count]),
  },
  {
    name: 'intray_recorded_run_seconds',
    help: 'How long these runs took: the time that so large a share of them did not exceed.',
    unit: 'seconds',
    of: ({ runs }) => shares(runs.seconds),
  },
  {
    name: 'intray_recorded_runs_within',
    help: 'How many of these runs took no longer than le seconds.',
    of: ({ runs }) => within(runs.seconds, SECONDS),
  },
  {
    name: 'intray_recorded_waits_within',
    help: 'How many jobs on record had waited no longer than le seconds when they were first started.',
    of: ({ runs }) => within(runs.waits, SECONDS),
  },
  {
    name: 'intray_recorded_starts_within',
    help: 'How many jobs on record were started no more than le times.',
    of: ({ runs }) => within(runs.starts, STARTS),
  },
  {
    name: 'intray_probed_sync_seconds',
    help: 'How long the disk took to sync 4 KiB: the time that so large a share of 8 tries did not exceed.',
    unit: 'seconds',
    of: ({ syncs }) => shares(syncs),
  },
  {
    name: 'intray_look_seconds',
    help: 'How long it took to look at the queue.',
    unit: 'seconds',
    of: ({ tookMs }) => tookMs / 1000,
  },
];

export function metricsOf(measured: readonly Measured[]): readonly Gauge[] {
  const up: Gauge = {
    name: 'intray_queue_up',
    help: '1 when the queue could be looked at.',
    samples: measured.map((one) => ({ labels: labelsOf(one), value: Number(one.kind === 'seen') })),
  };
  const seen = measured.filter((one): one is Seen => one.kind === 'seen');
  return [
    up,
    ...ASKED.map(({ of, ...gauge }) => ({ ...gauge, samples: seen.flatMap((one) => samplesOf(one, of)) })),
  ];
}

function shares(sorted: readonly number[]): Labelled {
  return QUANTILES.flatMap((share) => {
    const value = quantile(sorted, share);
    return value === undefined ? [] : [['share', String(share), value] as const];
  });
}

/** As the buckets of a histogram, which `histogram_quantile` reads; but gauges, for they may fall. */
function within(sorted: readonly number[], bounds: readonly number[]): Labelled {
  return countsWithin(sorted, bounds).map(([bound, count]) => ['le', bound, count]);
}

function samplesOf(seen: Seen, of: Asked['of']): Sample[] {
  const answer = of(seen);
  const labels = labelsOf(seen);
  if (answer === undefined) return [];
  if (typeof answer === 'number') return [{ labels, value: answer }];
  return answer.map(([label, value, number]) => ({ labels: { ...labels, [label]: value }, value: number }));
}

function labelsOf(measured: Measured): Sample['labels'] {
  return { queue: measured.kind === 'seen' ? measured.snapshot.queue : measured.queue };
}

function jobsByState({ counts }: QueueSnapshot): Record<string, number> {
  const { lanesFailed, waiting: _, ...states } = counts;
  return { ...states, held: states.held - lanesFailed, failed: states.failed + lanesFailed };
}

function oldestReady({ waiting, takenMs }: QueueSnapshot): number {
  const ages = waiting.flatMap((job) => {
    const sinceMs = readySinceMs(job);
    return sinceMs === undefined ? [] : [secondsSince(sinceMs, takenMs)];
  });
  return ages.reduce((most, age) => Math.max(most, age), 0);
}

function readySinceMs({ standing, addedMs, notBeforeMs }: WaitingJob): number | undefined {
  if (standing.kind !== 'ready' || addedMs === undefined) return undefined;
  return Math.max(addedMs, notBeforeMs);
}

function lanesByState({ lanes, waiting }: QueueSnapshot): Labelled {
  const held = new Set(waiting.flatMap(({ lane, standing }) => (standing.kind === 'held' ? [lane] : [])));
  const states = { running: 0, gap: 0, held: 0, waiting: 0 };
  for (const lane of lanes) states[laneState(lane, held.has(lane.lane))] += 1;
  return Object.entries(states).map(([state, count]) => ['state', state, count] as const);
}

function laneState(
  { missing, running }: LaneSnapshot,
  isHeld: boolean,
): 'running' | 'gap' | 'held' | 'waiting' {
  if (running > 0) return 'running';
  if (missing !== undefined) return 'gap';
  return isHeld ? 'held' : 'waiting';
}

/** A clock that was put back makes nothing negative. */
function secondsSince(sinceMs: number, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs) / 1000;
}
