/** Keeps count of what a relay does, tells what is new of it, and shows on a terminal how far it is. */

import type { Machine } from '../../os/ports.ts';
import { formatSize } from '../../os/size.ts';
import type { Job, Queue, Unreadable } from '../../queue/contract.ts';
import type { CarriedJob } from '../../relay/carried.ts';
import type { LocalQueue } from '../../relay/local-target.ts';
import type { RelayListener, RelayReport } from '../../relay/relay.ts';
import type { Delivered } from '../../relay/target.ts';
import type { Context } from '../context.ts';
import { sentenceOf } from '../failure.ts';
import { type Progress, progressFor } from '../terminal.ts';
import { EXIT_CODES, endingOf } from './exit-codes.ts';
import { jsonVoice, type RelayEvent, type Voice, wordsVoice } from './relay-events.ts';
import type { WorkEnding } from './work-ending.ts';
import { WorkProblems } from './work-problems.ts';

const SHOW_MS = 200;
/** The rate is that of the last so many looks. */
const LOOKS = 25;

export async function newRelayTeller(
  context: Context,
  { json }: { readonly json: boolean },
  source?: Queue,
): Promise<RelayTeller> {
  const voice = json ? jsonVoice(context) : await wordsVoice(context, source);
  return new RelayTeller(context.machine, voice, json ? undefined : await progressFor(context.machine));
}

type Reached = Pick<LocalQueue, 'keepsOrder'>;

export class RelayTeller extends WorkProblems implements RelayListener {
  readonly #machine: Machine;
  readonly #voice: Voice;
  readonly #progress: Progress | undefined;
  readonly #startedMs: number;
  readonly #looks: { readonly atMs: number; readonly bytes: number }[] = [];
  #moved = 0;
  #refused = 0;
  #bytes = 0;
  #lastTrouble: string | undefined;
  #isFull = false;
  #wasReached = false;
  #said: Promise<void> = Promise.resolve();

  constructor(machine: Machine, voice: Voice, progress: Progress | undefined) {
    super();
    this.#machine = machine;
    this.#voice = voice;
    this.#progress = progress;
    this.#startedMs = machine.clock.monotonicMs();
  }

  /** Shows how far it is. Returns how to end that; may be called again. */
  begin(source: Queue): () => Promise<void> {
    const { clock } = this.#machine;
    let isOver = this.#progress === undefined;
    let cancel = () => {};
    const show = () => {
      if (isOver) return;
      const shown = this.#show(source).catch(() => {}); // the source says itself what is wrong with it
      cancel = clock.after(SHOW_MS, () => void shown.then(show));
    };
    cancel = clock.after(SHOW_MS, show);
    return async () => {
      isOver = true;
      cancel();
      await this.flush();
      await this.#progress?.clear();
    };
  }

  async flush(): Promise<void> {
    await this.#said;
  }

  progressed(bytes: number): void {
    this.#bytes += bytes;
  }

  moved(job: Job, moved: Delivered & { readonly bytes: number }): void {
    this.#goesWell();
    this.#tell({ event: 'moved', job: job.id, ...moved });
  }

  /** Of a job that another machine has given us. */
  taken({ name }: CarriedJob, id: string, duplicate: boolean): void {
    this.#goesWell();
    this.#tell({ event: 'moved', job: name, id, duplicate });
  }

  refused({ id }: Job, reason: string): void {
    this.#refused += 1;
    this.#tell({ event: 'refused', job: id, reason });
  }

  full(): void {
    if (!this.#isFull) this.#tell({ event: 'full' });
    this.#isFull = true;
  }

  targetTrouble(error: unknown, againMs: number | undefined): void {
    const reason = sentenceOf(error);
    if (reason !== this.#lastTrouble) {
      this.#tell({ event: 'trouble', reason, again: againMs !== undefined });
    }
    this.#lastTrouble = reason;
  }

  async sourceTrouble(queue: Queue, error: unknown): Promise<void> {
    if (!this.isNewTrouble(queue, error)) return;
    this.#tell({ event: 'trouble', reason: sentenceOf(error), again: true });
  }

  unreadable(_: Queue, files: readonly Unreadable[]): void {
    for (const { path, message } of this.newlyUnreadable(files)) {
      this.#tell({ event: 'unreadable', path, reason: message });
    }
  }

  /** `ordered`: the jobs that come have an order that is not that of lanes. Told once, though it is reached again. */
  reached({ keepsOrder }: Reached, ordered = false): void {
    if (this.#wasReached) return;
    this.#wasReached = true;
    if (ordered && !keepsOrder) this.#tell({ event: 'forgets-order' });
  }

  /** Returns the exit status. */
  async concluded({ trouble }: RelayReport, { ending, stalled }: WorkEnding): Promise<number> {
    const { status, meaning } = EXIT_CODES[trouble === undefined ? ending : endingOf(trouble)];
    this.#tell({
      event: 'finished',
      moved: this.#moved,
      refused: this.#refused,
      bytes: this.#bytes,
      seconds: Math.round((this.#machine.clock.monotonicMs() - this.#startedMs) / 1000),
      waiting: stalled.map(([, idle]) => idle),
      status,
      meaning,
    });
    await this.flush();
    return status;
  }

  #goesWell(): void {
    this.#moved += 1;
    this.#lastTrouble = undefined;
    this.#isFull = false;
  }

  /** One after the other. */
  #tell(event: RelayEvent): void {
    this.#said = this.#said.then(async () => {
      if (event.event !== 'moved') await this.#progress?.clear();
      await this.#voice(event);
    });
    this.#said.catch(() => {}); // told by `flush`
  }

  async #show(source: Queue): Promise<void> {
    const parts = [`${this.#moved} moved, ${formatSize(this.#bytes)}`];
    if (this.#refused > 0) parts.push(`${this.#refused} refused`);
    const now = { atMs: this.#machine.clock.monotonicMs(), bytes: this.#bytes };
    this.#looks.push(now);
    const first = (this.#looks.length > LOOKS ? this.#looks.shift() : this.#looks[0]) ?? now;
    const bytesPerMs = (now.bytes - first.bytes) / Math.max(1, now.atMs - first.atMs);
    if (bytesPerMs > 0) parts.push(`${formatSize(bytesPerMs * 1000)}/s`);
    const waiting = await source.countWaiting?.();
    if (waiting !== undefined) parts.push(`${waiting} waiting`);
    if (this.#isFull) parts.push('the target has no room');
    await this.#progress?.say(parts.join(', '));
  }
}
