/** An operator at work on one queue: what single changes share, and what they refuse with. */

import type { Machine } from '../../../os/ports.ts';
import { isQueueError, QueueError } from '../../../queue/errors.ts';
import { syncDirectory } from '../../../queue/publish.ts';
import type { FoundJob, RunningJob, WaitingJob } from '../../../queue/snapshot.ts';
import type { Decoder } from '../../open-packet.ts';
import { type Hand, openHand } from './hand.ts';

export class Operator {
  readonly machine: Machine;
  readonly queue: string;
  readonly decoder: Decoder | undefined;
  readonly #changed = new Set<string>();
  #hand: Hand | undefined;

  constructor(machine: Machine, queue: string, decoder?: Decoder | undefined) {
    this.machine = machine;
    this.queue = queue;
    this.decoder = decoder;
  }

  /** Opened when it is first needed. Throws `locked`. */
  async hand(): Promise<Hand> {
    this.#hand ??= await openHand(this.machine, this.queue);
    return this.#hand;
  }

  /** Undefined for a queue that jobs are only added to here: nobody runs them, and no number could be moved on. */
  async handIfWorked(): Promise<Hand | undefined> {
    try {
      return await this.hand();
    } catch (error) {
      if (isQueueError(error, 'append-only')) return undefined;
      throw error;
    }
  }

  /** Makes what was done last. */
  async close(): Promise<void> {
    try {
      for (const directory of this.#changed) await syncDirectory(this.machine.files, directory, directory);
    } finally {
      await this.#hand?.close();
    }
  }

  /** Names in this directory have changed. */
  touched(directory: string): void {
    this.#changed.add(directory);
  }
}

/** The job, if it waits. Throws a sentence that says where it is if it does not. */
export function waitingOnly(found: FoundJob, verb: string): WaitingJob {
  switch (found.place) {
    case 'waiting':
      return found;
    case 'running':
      throw running(found);
    case 'failed':
      throw notPossible(found, `it has failed and does not wait, so there is nothing to ${verb}`);
    case 'done':
      throw notPossible(found, `it is done, so there is nothing to ${verb}`);
    case 'unreadable':
      throw notPossible(found, `it cannot be read as a job: ${found.message}`);
  }
}

export function running(found: RunningJob): QueueError {
  const { name, host, pid } = found.worker;
  const where = pid === undefined ? `worker ${name}` : `process ${pid} on ${host}`;
  return new QueueError('job-running', `${found.path}: it is being run by ${where}`);
}

export function notPossible(found: FoundJob, why: string): QueueError {
  return new QueueError('not-possible', `${found.path}: ${why}`);
}
