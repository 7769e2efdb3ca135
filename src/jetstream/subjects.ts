/**
 * The subjects of a queue's log, and what its messages say.
 *
 * | subject                   | message                                                                       |
 * |---------------------------|-------------------------------------------------------------------------------|
 * | intray.Q.job.ID           | a job: what its adder asked for; its payload, or where that is                |
 * | intray.Q.job.ID.NONCE     | the same of a job with a name, which several may add at once: the first is it |
 * | intray.Q.job.ID.over      | the name of a job that is over: is taken, or free again                       |
 * | intray.Q.run.ID.N.NONCE   | its Nth change of state, from 1: the whole state from then on. Of several the  |
 * |                           | first is it                                                                   |
 * | intray.Q.said.ID.A.KIND   | what its Ath start has said: stdout or stderr                                 |
 * | intray.Q.worker.W         | a sign of life                                                                |
 * | intray.Q.paused           | whether jobs may start                                                        |
 * | intray.Q.again            | nothing: somebody who got no answer sends it to know what came before it      |
 *
 * A subject keeps its last message only, and who may come beside others has one of his own: so the servers refuse nothing,
 * and who is first is what the log says. (A server that has refused messages may count those that follow otherwise than
 * the others do when it begins again, and replaces what they have confirmed: nats-server 2.9.10.)
 *
 * What a message says is JSON in its header `Intray`, so that the log can be read
 * without the payloads.
 */

import type { RunRecord } from '../queue/snapshot.ts';

export const RECORD_HEADER = 'Intray';

export function streamOf(queue: string): string {
  return `intray-${queue}`;
}

export function prefixOf(queue: string): string {
  return `intray.${queue}`;
}

const OVER = 'over';

export type Topic =
  | { readonly kind: 'job'; readonly id: string }
  | { readonly kind: 'receipt'; readonly id: string }
  | { readonly kind: 'run'; readonly id: string; readonly generation: number }
  | {
      readonly kind: 'said';
      readonly id: string;
      readonly attempt: number;
      readonly stream: 'stdout' | 'stderr';
    }
  | { readonly kind: 'worker'; readonly worker: string }
  | { readonly kind: 'paused' | 'again' }
  | { readonly kind: 'other' };

export function topicOf(subject: string): Topic {
  const [, , kind, id = '', generation = '', stream, ...more] = subject.split('.');
  if (more.length > 0) return { kind: 'other' };
  if (kind === 'said' && (stream === 'stdout' || stream === 'stderr')) {
    return { kind, id, attempt: Number(generation), stream };
  }
  if (kind === 'run' && /^\d{1,9}$/.test(generation) && stream !== undefined)
    return { kind, id, generation: Number(generation) };
  if (stream !== undefined) return { kind: 'other' };
  if (kind === 'job' && id !== '') return { kind: generation === OVER ? 'receipt' : kind, id };
  if (kind === 'worker' && generation === '') return { kind, worker: id };
  if ((kind === 'paused' || kind === 'again') && id === '') return { kind };
  return { kind: 'other' };
}

export class Subjects {
  readonly #prefix: string;

  constructor(queue: string) {
    this.#prefix = prefixOf(queue);
  }

  job(id: string): string {
    return `${this.#prefix}.job.${id}`;
  }

  named(id: string, nonce: string): string {
    return `${this.job(id)}.${nonce}`;
  }

  /** All that is, or was, of that name. */
  anyNamed(id: string): string {
    return this.named(id, '*');
  }

  receipt(id: string): string {
    return this.named(id, OVER);
  }

  run(id: string, generation: number, nonce: string): string {
    return `${this.#prefix}.run.${id}.${generation}.${nonce}`;
  }

  said(id: string, attempt: number, stream: 'stdout' | 'stderr'): string {
    return `${this.#prefix}.said.${id}.${attempt}.${stream}`;
  }

  worker(worker: string): string {
    return `${this.#prefix}.worker.${worker}`;
  }

  isOfWorker(subject: string): boolean {
    return subject.startsWith(this.worker(''));
  }

  get paused(): string {
    return `${this.#prefix}.paused`;
  }

  get again(): string {
    return `${this.#prefix}.again`;
  }

  get anyJob(): string {
    return `${this.#prefix}.job.>`;
  }

  get anyRun(): string {
    return `${this.#prefix}.run.>`;
  }
}

/** What a job's adder asked for. */
export type JobRecord = {
  /** Tells this adding from others of the same name. */
  readonly nonce: string;
  /** By the adder's clock; milliseconds since 1970, as all times here. */
  readonly madeMs: number;
  readonly params: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly lane?: string;
  readonly priority?: number;
  readonly notBeforeMs?: number;
  readonly expiresMs?: number;
  readonly name?: string;
  /** Where its payload is, if that is not in the message. */
  readonly payload?: { readonly name: string; readonly size: number };
};

/** The job of that name is over, and had this number; only its name is left. `free`: not even that. */
export type ReceiptRecord = { readonly over: number; readonly free?: true };

/** `over`: only its messages are left, to be removed. */
export type Place = 'waiting' | 'running' | 'failed' | 'done' | 'over';

export type JobState = {
  readonly nonce: string;
  readonly place: Place;
  /** Starts that count. */
  readonly attempts: number;
  /** Of these the last so many ended with the death of their worker. */
  readonly deaths: number;
  /** 0: at once. */
  readonly untilMs: number;
  readonly held: boolean;
  /** It has failed, and its lane waits for a person. */
  readonly stopped: boolean;
  /** Who runs it, and since when by that worker's clock. */
  readonly worker?: string;
  readonly sinceMs?: number;
  /** The last runs that are over, oldest first. */
  readonly runs: readonly RunRecord[];
};

export type WorkerRecord = {
  readonly host: string;
  readonly pid: number;
  readonly startedMs: number;
  readonly leaseMs: number;
  /** It has left, and has nothing in hand. */
  readonly gone?: true;
};

/** Undefined for what is none of ours. */
export function parseRecord<T extends JobRecord | ReceiptRecord | JobState | WorkerRecord | PausedRecord>(
  text: string,
  looksRight: (value: Partial<T>) => boolean,
): T | undefined {
  try {
    const value = JSON.parse(text) as Partial<T> | null;
    return typeof value === 'object' && value !== null && looksRight(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

export type PausedRecord = { readonly paused: boolean };

export const isJobRecord = ({ nonce, madeMs, params, env }: Partial<JobRecord>): boolean =>
  typeof nonce === 'string' && typeof madeMs === 'number' && Array.isArray(params) && Array.isArray(env);

export const isReceiptRecord = ({ over }: Partial<ReceiptRecord>): boolean => typeof over === 'number';

export const isJobState = ({ place, attempts, runs }: Partial<JobState>): boolean =>
  typeof place === 'string' && typeof attempts === 'number' && Array.isArray(runs);

export const isWorkerRecord = ({ host, leaseMs }: Partial<WorkerRecord>): boolean =>
  typeof host === 'string' && typeof leaseMs === 'number';

export const isPausedRecord = ({ paused }: Partial<PausedRecord>): boolean => typeof paused === 'boolean';

/**
 * Part of a subject that stands for any text, and no other text does: letters, digits and `-` as they are, every other
 * byte as `_` and two hexadecimal digits.
 */
export function tokenOf(bytes: Uint8Array): string {
  let token = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    token += /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return token;
}
