/** What a worker tells while it works, and what it has to say only once. */

import type { NamedQueues } from '../../open/find.ts';
import type { Job, Queue, Unreadable } from '../../queue/contract.ts';
import type { PoolReport } from '../../worker/pool.ts';
import type { RunEnd } from '../../worker/serve.ts';
import { sentenceOf } from '../failure.ts';
import type { Problems, WorkEnding } from './work-ending.ts';

export interface Teller extends Problems {
  /** Returns how to end what goes on beside the work; may be called again. */
  begin(queues: NamedQueues): () => Promise<void>;
  started(job: Job, queue: Queue, attempt: number): void;
  ended(job: Job, queue: Queue, end: RunEnd): Promise<void>;
  trouble(queue: Queue, error: unknown): Promise<void>;
  unreadable(queue: Queue, files: readonly Unreadable[]): void;
  noEvents(queue: Queue): void;
  /** What does not go as it should with telling of failed jobs. */
  notices(sentence: string): void;
  stopping(graceMs: number): void;
  concluded(report: PoolReport, end: WorkEnding): Promise<void>;
}

export class WorkProblems {
  readonly troubles = new Map<Queue, unknown>();
  readonly unreadablePaths = new Set<string>();

  /** A queue that cannot be worked is tried again and again: said is only what was not said of it last. */
  isNewTrouble(queue: Queue, error: unknown): boolean {
    const before = this.troubles.get(queue);
    this.troubles.set(queue, error);
    return before === undefined || sentenceOf(before) !== sentenceOf(error);
  }

  workedAgain(queue: Queue): void {
    this.troubles.delete(queue);
  }

  newlyUnreadable(files: readonly Unreadable[]): Unreadable[] {
    const fresh = files.filter(({ path }) => !this.unreadablePaths.has(path));
    for (const { path } of fresh) this.unreadablePaths.add(path);
    return fresh;
  }
}
