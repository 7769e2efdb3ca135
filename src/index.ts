/**
 * intray: job queues that are plain directories.
 *
 * @example
 * ```ts
 * import { createQueue, openQueue, work } from 'intray';
 *
 * const queue = await createQueue('/var/spool/thumbnails');
 * await queue.add({ params: ['holiday.jpg'], payload: imageBytes });
 *
 * const report = await work(queue, async (job, payload) => {
 *   for await (const chunk of payload) render(chunk);
 * });
 * ```
 *
 * Many jobs at once, beside other workers, with retries:
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
import { openQueue as openWith } from './open/open.ts';
import { realMachine } from './os/real/index.ts';
import type { Queue } from './queue/contract.ts';
import type { CommandHandler, Handler } from './worker/handler.ts';
import type { PoolReport as ServeReport } from './worker/pool.ts';
import type { ProcessReport } from './worker/process-queue.ts';
import type { FindQueues } from './worker/roster.ts';
import { type ServeOptions, serveQueues } from './worker/serve.ts';
import { type WorkOptions, workQueue } from './worker/work.ts';

/**
 * Makes a queue directory and opens it. The parent directory must exist. `{ order: 'free' }` makes one whose jobs run
 * side by side; without `order` it is as bare as `fspl queue-init` makes it, and its jobs run one after the other.
 * Throws a QueueError `exists` when there is something at that path. `nats://HOST/QUEUE` is a queue on NATS JetStream.
 */
export function createQueue(path: string, options?: CreateOptions): Promise<Queue> {
  return createWith(realMachine, path, options);
}

/**
 * Opens a queue, a directory made here or by `fspl queue-init`, of any layout, or one on servers: `nats://HOST/QUEUE`. Throws a
 * QueueError `not-a-queue`.
 */
export function openQueue(path: string): Promise<Queue> {
  return openWith(realMachine, path);
}

/**
 * Makes a queue directory of IPC::DirQueue, whose parent must exist, and opens it. Throws a QueueError `exists` when there
 * is something at that path.
 */
export async function createDirQueue(path: string, options?: CreateDirQueueOptions): Promise<DirQueue> {
  return (await import('./dirqueue/dirqueue.ts')).createDirQueue(realMachine, path, options);
}

/**
 * Opens a queue directory of IPC::DirQueue, made here or by the original, with what is its own: `take` for workers that
 * live long, `pickUp`, `visit`. Throws a QueueError `not-a-queue`.
 *
 * @example
 * ```ts
 * const queue = await openDirQueue('/var/spool/mp3');
 * for await (const job of queue.take()) {
 *   await encode(job.dataPath, job.metadata.get('title'));
 *   await job.finish();
 * }
 * ```
 */
export async function openDirQueue(path: string, options?: DirQueueOptions): Promise<DirQueue> {
  return (await import('./dirqueue/dirqueue.ts')).openDirQueue(realMachine, path, options);
}

/**
 * Runs the jobs that wait, in order and one at a time, with a function or a command, and resolves when there is
 * none left to run. Holds the queue's lock meanwhile: throws a QueueError `locked` when another process has it.
 */
export function work(
  queue: Queue,
  handler: Handler | CommandHandler,
  options?: WorkOptions,
): Promise<ProcessReport> {
  return workQueue(realMachine, queue, handler, options);
}

/**
 * Runs the jobs that wait in one queue or several, `concurrency` at once, with a function or a command, beside any other
 * workers that do the same, on this machine or others. Jobs of one lane run one after the other, in the order in which
 * they were added; so do those without a lane in a queue whose order is `sequence`.
 *
 * A job that fails is run again, up to `retries` times, and waits longer each time; then it has failed for good, and is
 * kept in `failed/` or, in a lane, holds that lane (`blocked` says otherwise). A job in flight when this process dies is
 * run again: handlers must bear that.
 *
 * Resolves when no job may run now, and with `keepWaiting` only when `signal` is aborted: then jobs that run have
 * `graceMs` to end, and are put back if they do not. `queues` may be a function, which is asked again and again which
 * queues there are.
 *
 * Rejects with a QueueError `locked` when somebody works a queue alone, and with others when a queue cannot be worked,
 * unless there is `onTrouble`; with `command-not-started` when there is no such command; with a RangeError for options that
 * make no sense.
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
export type { Timestamp } from './os/ports.ts';
export type { PacketHeader, Sequence, Work } from './packet/header.ts';
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
export type { Durability } from './queue/publish.ts';
export type { Order } from './spool/home/rooms.ts';
export type { CreateOptions } from './spool/spool.ts';
export type { Backoff } from './worker/backoff.ts';
export { type CommandHandler, type Handler, type Payload, TryLater } from './worker/handler.ts';
export type { PoolReport as ServeReport, Ran } from './worker/pool.ts';
export type { ProcessReport } from './worker/process-queue.ts';
export type { FindQueues } from './worker/roster.ts';
export type { RunEnd, ServeOptions } from './worker/serve.ts';
export type { WorkOptions } from './worker/work.ts';
