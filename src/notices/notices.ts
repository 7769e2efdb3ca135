/**
 * Telling of jobs that have failed for good, to a command, a webhook or both, without keeping the work waiting.
 *
 *   open       notices are accepted, and a pool of their own delivers them beside the work
 *   finishing  no more come; those that are due are delivered, as long as there is time
 *   closed     what is left waits for the next worker
 *
 * Between the work and whoever is told there is a queue of notices, one of ours: so a receiver that is slow or dead keeps
 * nobody waiting, and what a worker leaves the next one delivers.
 *
 * | step                                          | a crash here leaves                                              |
 * |-----------------------------------------------|------------------------------------------------------------------|
 * | the job's last run has failed                 | the job comes back, and is run again                             |
 * | the notice is in the queue of notices         | the same; and that this run has failed is told, as it has        |
 * | the job is settled as failed                  | the notice waits                                                 |
 * | the receiver has it, and said so              | it is sent again, with the same id: at least once                |
 * | the notice is removed                         | it was told                                                      |
 *
 * So of a job that is over without success there has been a notice, unless it could not be kept, on a full disk say: then
 * it is delivered at once, once, and where that fails too, that is said.
 */

import { initQueue } from '../open/create.ts';
import { openQueue } from '../open/open.ts';
import type { Machine } from '../os/ports.ts';
import { shellQuote } from '../os/shell.ts';
import type { FailingJob, Job, Queue } from '../queue/contract.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import { counted } from '../queue/words.ts';
import type { Handler } from '../worker/handler.ts';
import { type RunEnd, serveQueues } from '../worker/serve.ts';
import { runNoticeCommand } from './command.ts';
import { type NotedQueue, noticeOf, noticeText, type Posted } from './notice.ts';
import { readSecrets } from './secrets.ts';
import { postNotice, type Webhook } from './webhook.ts';

export type NoticesOptions = {
  /** The queue of notices; made where it is missing. */
  readonly location: string;
  /** A shell line. */
  readonly command?: string | undefined;
  readonly webhook?: Webhook | undefined;
  /** Told, in a sentence, what does not go as it should. */
  readonly onTrouble: (sentence: string) => void;
};

export interface Notices {
  /** Resolves when the notice is in its queue for good, or that was told to be impossible. */
  accept(job: FailingJob, queue: NotedQueue): Promise<void>;
  /** `inHaste`: no delivery is begun any more. */
  finish(inHaste: boolean): Promise<void>;
}

type Target = 'command' | 'webhook';

/** A command is not kept waiting by many POSTs that nobody answers. */
const PRIORITY: Readonly<Record<Target, number>> = { command: 10, webhook: 50 };
/** About two days: 5 s, 15 s, 45 s and so on, at last every six hours. */
const RETRIES = 16;
const BACKOFF = { firstMs: 5000, factor: 3, maxMs: 6 * 3_600_000 };
const AT_ONCE = 4;
/** How long a worker that has nothing else to do goes on delivering. */
const FINISH_MS = 10_000;
/** So many of those that cannot be kept are delivered at once: each takes a connection or a process. */
const MOST_UNKEPT = 16;
const NOTICE_LIMIT_BYTES = 1024 * 1024;

/** Throws where notices cannot be kept, or a secret cannot be read. */
export async function openNotices(machine: Machine, options: NoticesOptions): Promise<Notices> {
  const { location, webhook } = options;
  if (webhook !== undefined && machine.http === undefined) {
    throw new QueueError('not-possible', 'there is no network here');
  }
  if (webhook?.secretFile !== undefined) await readSecrets(machine.files, webhook.secretFile);
  await initQueue(machine, location);
  return new OpenNotices(machine, options, await openQueue(machine, location));
}

class OpenNotices implements Notices {
  readonly #machine: Machine;
  readonly #options: NoticesOptions;
  readonly #queue: Queue;
  readonly #stop = new AbortController();
  readonly #delivering: Promise<void>;
  /** Aborted when the time to finish is over. */
  readonly #late = new AbortController();
  /** Deliveries of notices that could not be kept. */
  readonly #unkept = new Set<Promise<void>>();
  #saidLast = '';

  constructor(machine: Machine, options: NoticesOptions, queue: Queue) {
    this.#machine = machine;
    this.#options = options;
    this.#queue = queue;
    this.#delivering = this.#deliver(true, this.#stop.signal);
  }

  async accept(job: FailingJob, queue: NotedQueue): Promise<void> {
    const body = noticeText(await noticeOf(this.#machine, job, queue));
    // Not made of the job and its attempt: these begin anew when a person has it run again.
    const id = `msg_${this.#machine.random.uuid()}`;
    try {
      await this.#queue.addAll(
        this.#targets().map((target) => ({
          params: [target, id],
          payload: body,
          priority: PRIORITY[target],
        })),
      );
    } catch (error) {
      const why = `${this.#options.location}: the notice of job ${job.id} cannot be kept: ${reasonOf(error)}`;
      this.#say(`${why}; it is delivered at once, or not at all`);
      for (const target of this.#targets()) this.#deliverAtOnce(target, job.id, { id, body });
    }
  }

  async finish(inHaste: boolean): Promise<void> {
    const cancel = this.#machine.clock.after(FINISH_MS, () => this.#late.abort());
    this.#stop.abort();
    await Promise.all([this.#delivering, ...this.#unkept]);
    if (!inHaste) await this.#deliver(false, this.#late.signal);
    cancel();
    const left = await this.#countLeft();
    if (left === 0) return;
    const wait = left === 1 ? 'notice waits' : 'notices wait';
    this.#say(
      `${this.#options.location}: ${left} ${wait} to be delivered by the next worker that is started like this one`,
    );
  }

  async #countLeft(): Promise<number> {
    try {
      return (await this.#queue.countWaiting?.()) ?? 0;
    } catch (error) {
      this.#say(`${this.#options.location}: it cannot be told what waits there: ${reasonOf(error)}`);
      return 0;
    }
  }

  #targets(): Target[] {
    const { command, webhook } = this.#options;
    return [
      ...(command === undefined ? [] : ['command' as const]),
      ...(webhook === undefined ? [] : ['webhook' as const]),
    ];
  }

  async #deliver(keepWaiting: boolean, signal: AbortSignal): Promise<void> {
    try {
      await serveQueues(this.#machine, [this.#queue], this.#handle, {
        concurrency: AT_ONCE,
        retries: RETRIES,
        backoff: BACKOFF,
        keepWaiting,
        leaveRetries: true,
        signal,
        graceMs: keepWaiting ? FINISH_MS : 0,
        onEnded: (job, _, end) => this.#ended(job, end),
        onTrouble: (_, error) => this.#say(reasonOf(error)),
      });
    } catch (error) {
      this.#say(`${this.#options.location}: notices are not delivered any more: ${reasonOf(error)}`);
    }
  }

  readonly #handle: Handler = async ({ work }, payload, stop) => {
    const [target, id = ''] = work.kind === 'command' ? work.params : [];
    await this.#tell(target, { id, body: await payload.text(NOTICE_LIMIT_BYTES) }, stop);
  };

  async #tell(target: string | undefined, notice: Posted, stop: AbortSignal): Promise<void> {
    const { command, webhook } = this.#options;
    if (target === 'command' && command !== undefined)
      return runNoticeCommand(this.#machine, command, notice, stop);
    if (target === 'webhook' && webhook !== undefined)
      return postNotice(this.#machine, webhook, notice, stop);
    throw new Error(`this worker has no ${target ?? 'receiver'} to tell of it`);
  }

  #deliverAtOnce(target: Target, job: string, notice: Posted): void {
    const untold = (why: string) => this.#say(`nobody was told that job ${job} has failed: ${why}`);
    if (this.#unkept.size >= MOST_UNKEPT) {
      untold('too many others are to be told at once');
      return;
    }
    const told = this.#tell(target, notice, this.#late.signal)
      .catch((error) => untold(reasonOf(error)))
      .finally(() => this.#unkept.delete(told));
    this.#unkept.add(told);
  }

  /** Of a receiver that is down for long that is said once. */
  #ended({ id }: Job, { ran, reason = '' }: RunEnd): void {
    const { location } = this.#options;
    if (ran === 'failed') {
      const again = `intray retry ${shellQuote(location)} ${id}`;
      this.#say(
        `${location}: a notice was given up after ${counted(RETRIES + 1, 'attempt')}: ${reason}; ${again}`,
      );
    }
    if (ran === 'again') this.#say(`${location}: a notice waits, to be tried again: ${reason}`);
    if (ran === 'succeeded') this.#saidLast = '';
  }

  #say(sentence: string): void {
    if (sentence === this.#saidLast) return;
    this.#saidLast = sentence;
    this.#options.onTrouble(sentence);
  }
}
