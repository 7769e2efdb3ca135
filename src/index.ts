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
 */

import { realMachine } from './os/real/index.ts';
import type { Queue } from './queue/contract.ts';
import { type CreateOptions, createSpool, openSpool } from './spool/spool.ts';
import type { CommandHandler, Handler } from './worker/handler.ts';
import type { ProcessReport } from './worker/process-queue.ts';
import { type WorkOptions, workQueue } from './worker/work.ts';

/**
 * Makes a Filespooler queue directory and opens it. The parent directory must exist.
 * Throws a QueueError `exists` when there is something at that path.
 */
export function createQueue(path: string, options?: CreateOptions): Promise<Queue> {
  return createSpool(realMachine, path, options);
}

/** Opens a queue directory, made here or by `fspl queue-init`. Throws a QueueError `not-a-queue`. */
export function openQueue(path: string): Promise<Queue> {
  return openSpool(realMachine, path);
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

export type { Timestamp } from './os/ports.ts';
export type { PacketHeader, Sequence, Work } from './packet/header.ts';
export type {
  Added,
  AddOptions,
  Claim,
  Idle,
  Job,
  JobId,
  Listing,
  ListOptions,
  NewJob,
  PayloadSource,
  Queue,
  Session,
  SessionOptions,
  Unreadable,
} from './queue/contract.ts';
export { type ErrorCode, isQueueError, QueueError } from './queue/errors.ts';
export type { Durability } from './queue/publish.ts';
export type { CreateOptions } from './spool/spool.ts';
export type { CommandHandler, Handler, Payload } from './worker/handler.ts';
export type { ProcessReport } from './worker/process-queue.ts';
export type { WorkOptions } from './worker/work.ts';
