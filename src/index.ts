/**
 * intray: job queues that are plain directories.
 *
 * @example
 * ```ts
 * import { createQueue, work } from 'intray';
 *
 * const queue = await createQueue('/var/spool/thumbnails');
 * await queue.add({ params: ['holiday.jpg'], payload: imageBytes });
 *
 * const report = await work(queue, async (job, payload) => {
 *   for await (const chunk of payload) render(chunk);
 * });
 * console.log(report.succeeded, report.ended);
 * ```
 *
 * Many jobs at once, beside other workers, with retries; a job that fails is run again up to three times:
 *
 * ```ts
 * import { createQueue, serve } from 'intray';
 *
 * const queue = await createQueue('/var/spool/mail', { order: 'free' });
 * await queue.add({ payload: letter, lane: 'alice' });
 *
 * await serve(queue, deliver, { concurrency: 4, retries: 3 });
 * ```
 */

import type { CreateDirQueueOptions, DirQueue, DirQueueOptions } from './dirqueue/dirqueue.ts';
import { type CreateOptions, createQueue as createWith } from './open/create.ts';
import { openKeeper as openKeeperWith, openQueue as openWith } from './open/open.ts';
import { realMachine } from './os/real/index.ts';
import type { Queue } from './queue/contract.ts';
import type { Keeper, KeeperOptions } from './queue/keeper.ts';
import type { CommandHandler, Handler } from './worker/handler.ts';
import type { PoolReport as ServeReport } from './worker/pool.ts';
import type { ProcessReport } from './worker/process-queue.ts';
import type { FindQueues } from './worker/roster.ts';
import { type ServeOptions, serveQueues } from './worker/serve.ts';
import { type WorkOptions, workQueue } from './worker/work.ts';

/**
 * Makes a queue and opens it. `location` is a directory that does not exist yet, in one that does, or
 * `nats://HOST/QUEUE` for a queue on NATS JetStream.
 *
 * With `{ order: 'free' }` its jobs run side by side, with `{ order: 'sequence' }` one after the other; both have all
 * that parallel workers need. Without `order` the directory is as bare as `fspl queue-init` makes it, and its jobs run
 * one after the other.
 *
 * @throws QueueError `exists` when there is something at that location.
 */
export function createQueue(location: string, options?: CreateOptions): Promise<Queue> {
  return createWith(realMachine, location, options);
}

/**
 * Opens a queue: a directory of any of the layouts, made here or by the original programs, or `nats://HOST/QUEUE`.
 *
 * @throws QueueError `not-a-queue` when there is none.
 */
export function openQueue(location: string): Promise<Queue> {
  return openWith(realMachine, location);
}

/**
 * Opens a queue to look at it and to change single jobs, beside any workers: what `intray status`, `ls`, `explain`,
 * `retry` and their like do. What a layout cannot do is a method that is not there.
 *
 * @example
 * ```ts
 * const keeper = await openKeeper('/var/spool/thumbnails');
 * const { failed } = await keeper.look();
 * const operation = await keeper.operate();
 * for (const job of failed) await operation.retry(job);
 * await operation.close();
 * ```
 *
 * @throws QueueError `not-a-queue` when there is none.
 */
export function openKeeper(location: string, options?: KeeperOptions): Promise<Keeper> {
  return openKeeperWith(realMachine, location, options);
}

/**
 * Makes a queue directory of IPC::DirQueue, whose parent must exist, and opens it.
 *
 * @throws QueueError `exists` when there is something at that path.
 */
export async function createDirQueue(path: string, options?: CreateDirQueueOptions): Promise<DirQueue> {
  return (await import('./dirqueue/dirqueue.ts')).createDirQueue(realMachine, path, options);
}

/**
 * Opens a queue directory of IPC::DirQueue, made here or by the original. Beside what every queue has there is `take`,
 * for a program that lives long and keeps what it has loaded, `pickUp` for one certain job, and `visit` for all.
 *
 * @example
 * ```ts
 * const queue = await openDirQueue('/var/spool/mp3');
 * for await (const job of queue.take()) {
 *   await encode(job.dataPath, job.metadata.get('title'));
 *   await job.finish();
 * }
 * ```
 *
 * @throws QueueError `not-a-queue` when it is none.
 */
export async function openDirQueue(path: string, options?: DirQueueOptions): Promise<DirQueue> {
  return (await import('./dirqueue/dirqueue.ts')).openDirQueue(realMachine, path, options);
}

/**
 * Runs the jobs that wait, in their order and one at a time, and resolves when none is left to run. `handler` is a
 * function, which fails a job by throwing, or a command, which does so by its exit code.
 *
 * The queue is this call's alone meanwhile. For many jobs at once, or several workers, there is `serve`.
 *
 * @throws QueueError `locked` when another process works the queue; `command-not-started` when there is no such command.
 * @throws RangeError for options that make no sense.
 */
export function work(
  queue: Queue,
  handler: Handler | CommandHandler,
  options?: WorkOptions,
): Promise<ProcessReport> {
  return workQueue(realMachine, queue, handler, options);
}

/**
 * Runs the jobs of one queue or several, `concurrency` at once, beside any other workers that do the same, on this
 * machine or others. Jobs of one lane run one after the other, in the order in which they were added; so do those
 * without a lane in a queue whose order is `sequence`.
 *
 * A job that fails is run again, up to `retries` times, and waits longer each time. Then it has failed for good: it is
 * kept in `failed/`, or if it has a lane, it holds up that lane (`blocked` says otherwise). A job that was running when
 * this process died is run again, so handlers must bear a second run of the same job.
 *
 * Resolves when no job may run now. With `keepWaiting` it waits for more instead, until `signal` is aborted: then the
 * jobs that run have `graceMs` to end, and are put back if they do not. `queues` may be a function, which is asked now
 * and then which queues there are.
 *
 * @example
 * ```ts
 * const report = await serve(
 *   [await openQueue('/var/spool/thumbnails'), await openQueue('/var/spool/mail')],
 *   { program: '/usr/local/bin/deliver', timeoutMs: 60_000 },
 *   { concurrency: 8, retries: 3, onEnded: (job, queue, { ran }) => console.log(queue.location, job.id, ran) },
 * );
 * console.log(report.counts.succeeded, report.counts.failed);
 * ```
 *
 * @throws QueueError `locked` when somebody works a queue alone, and others when one cannot be worked: without
 * `onTrouble`, which is told of these instead; `command-not-started` when there is no such command.
 * @throws RangeError for options that make no sense.
 */
export function serve(
  queues: Queue | readonly Queue[] | FindQueues,
  handler: Handler | CommandHandler,
  options?: ServeOptions,
): Promise<ServeReport> {
  const several = typeof queues === 'object' && 'location' in queues ? [queues] : queues;
  return serveQueues(realMachine, several, handler, options);
}

export type { CreateDirQueueOptions, DirQueue, DirQueueOptions } from './dirqueue/dirqueue.ts';
export type { DirQueueJoinOptions } from './dirqueue/session.ts';
export type { TakenJob, TakeOptions } from './dirqueue/taken-job.ts';
export type { LockHolder } from './os/lock-holders.ts';
export type { Descriptor, Exit, Timestamp } from './os/ports.ts';
export type { CommandWork, Sequence, Work } from './packet/header.ts';
export type {
  Added,
  AddOptions,
  BlockedPolicy,
  Claim,
  FailingJob,
  Idle,
  Job,
  JobId,
  JoinOptions,
  Listing,
  ListOptions,
  NewJob,
  OutputFile,
  PayloadSource,
  Queue,
  RunFacts,
  Session,
  SessionOptions,
  Settled,
  SharedClaim,
  SharedIdle,
  SharedSession,
  Unreadable,
} from './queue/contract.ts';
export { type ErrorCode, isQueueError, QueueError } from './queue/errors.ts';
export type {
  Cause,
  Explanation,
  Finding,
  Garbage,
  GcOptions,
  JobContents,
  JobDetails,
  Keeper,
  KeeperOptions,
  OpenedPayload,
  Operated,
  Operation,
  Repaired,
  Runs,
  Skipped,
  WhatRuns,
} from './queue/keeper.ts';
export type { Durability } from './queue/publish.ts';
export type {
  Counts,
  FoundJob,
  LaneSnapshot,
  LayoutName,
  Life,
  Litter,
  QueueSnapshot,
  RunningJob,
  RunRecord,
  SeenJob,
  SeenWorker,
  Standing,
  StoredJob,
  WaitingJob,
} from './queue/snapshot.ts';
export type { Terms } from './queue/terms.ts';
export type { Order } from './spool/home/rooms.ts';
export type { CreateOptions } from './spool/spool.ts';
export type { Backoff } from './worker/backoff.ts';
export { type CommandHandler, type Handler, type Payload, TryLater } from './worker/handler.ts';
export type { PoolReport as ServeReport, Ran } from './worker/pool.ts';
export type { ProcessReport } from './worker/process-queue.ts';
export type { FindQueues } from './worker/roster.ts';
export type { RunEnd, ServeOptions } from './worker/serve.ts';
export type { WorkOptions } from './worker/work.ts';
