/** What a worker does, as a line of JSON for each event. */

import { formatMs, toMs } from '../../os/calendar.ts';
import type { Job, Queue, Unreadable } from '../../queue/contract.ts';
import type { PoolReport } from '../../worker/pool.ts';
import type { RunEnd } from '../../worker/serve.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { printJsonLine } from '../json.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { savedOutput } from './run-output.ts';
import type { WorkEnding } from './work-ending.ts';
import { type Teller, WorkProblems } from './work-problems.ts';

export class JsonTeller extends WorkProblems implements Teller {
  readonly #context: Context;
  /** One line after the other, in the order of what happened. */
  #said: Promise<void> = Promise.resolve();

  constructor(context: Context) {
    super();
    this.#context = context;
  }

  begin(): () => Promise<void> {
    return async () => this.#said;
  }

  started(job: Job, queue: Queue, attempt: number): void {
    this.workedAgain(queue);
    void this.#say({ event: 'started', ...named(job, queue), attempt });
  }

  async ended(job: Job, queue: Queue, { ran, attempt, reason }: RunEnd): Promise<void> {
    const failed = ran === 'failed' || ran === 'again';
    const outputs = failed ? await savedOutput(this.#context.machine, queue, job, attempt) : [];
    const log = failed ? { log: outputs.map(({ path }) => path) } : {};
    await this.#say({
      event: ran,
      ...named(job, queue),
      attempt,
      ...(reason === undefined ? {} : { reason }),
      ...log,
    });
  }

  async trouble(queue: Queue, error: unknown): Promise<void> {
    const reason = sentenceOf(error).split('\n')[0];
    if (this.isNewTrouble(queue, error)) await this.#say({ event: 'trouble', queue: queue.location, reason });
  }

  unreadable(_: Queue, files: readonly Unreadable[]): void {
    for (const { path, message } of this.newlyUnreadable(files)) {
      void this.#say({ event: 'unreadable', path, reason: message });
    }
  }

  noEvents({ location }: Queue): void {
    void this.#say({ event: 'no-events', queue: location });
  }

  notices(sentence: string): void {
    void this.#say({ event: 'notices', reason: sentence });
  }

  stopping(graceMs: number): void {
    void this.#say({ event: 'stopping', graceMs });
  }

  async concluded({ counts, ended }: PoolReport, { ending, stalled }: WorkEnding): Promise<void> {
    const waiting = stalled.map(([queue, { kind: _, ...idle }]) => ({ queue: queue.location, ...idle }));
    const { status, meaning } = EXIT_CODES[ending];
    await this.#say({ event: 'finished', because: ended, ...counts, waiting, status, meaning });
  }

  #say(event: object): Promise<void> {
    const { machine } = this.#context;
    const at = formatMs(toMs(machine.clock.now()));
    this.#said = this.#said.then(() => printJsonLine(this.#context, { at, ...event }));
    this.#said.catch(() => {}); // told by the next that waits for it
    return this.#said;
  }
}

function named(job: Job, queue: Queue) {
  return { queue: queue.location, job: job.id, seq: job.seq };
}
