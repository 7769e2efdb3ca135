/**
 * A queue as its log says it is. Whoever reads the same messages in the same order sees the same.
 *
 * A job's state is that of its change with the highest number. Changes are made with the number after the last that
 * their maker has seen. Of two with one number that is right which comes first in the log; the maker of the other reads
 * that, too, and takes it away again. Numbers that were overtaken are removed from the log, so that one of them could be made again by somebody who has seen
 * nothing for long: it comes later in the log and has a lower number, and nobody believes it.
 *
 *     we                                 somebody else, after a pause
 *     -----------------------------      ----------------------------
 *     run.J.1: it is ours
 *                                        has seen J without changes
 *     run.J.2: tried again later
 *     remove run.J.1
 *                                        run.J.1: it is mine             <- taken by the servers
 *                                        reads on: 2 comes before it     <- and so not believed, nor by others
 */

import {
  isJobRecord,
  isJobState,
  isPausedRecord,
  isReceiptRecord,
  isWorkerRecord,
  type JobRecord,
  type JobState,
  parseRecord,
  type ReceiptRecord,
  topicOf,
  type WorkerRecord,
} from './subjects.ts';
import type { Message } from './wire.ts';

export type Entry = {
  readonly id: string;
  /** The number of the job's message, which is the job's own. */
  readonly seq: number;
  readonly addedMs: number;
  readonly job: JobRecord;
  /** Bytes of its payload. */
  readonly bytes: number;
  state: JobState;
  /** The number of its last change; 0: none yet. */
  generation: number;
  /** Messages of its changes, the last one last. */
  changes: number[];
  changedMs: number;
  /** Messages with what its runs have said. */
  readonly said: SaidMessage[];
  /** Messages of those who have added a job of its name at the same time. */
  readonly rivals: number[];
};

/** The name of a job that is over. */
export type Receipt = { readonly seq: number; readonly over: number; readonly storedMs: number };

export type SaidMessage = {
  readonly seq: number;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
};

export type SeenBeat = WorkerRecord & { readonly seq: number; readonly beatMs: number };

/** What somebody else has put into the log. */
export type Stranger = { readonly seq: number; readonly subject: string; readonly message: string };

export type Lane = {
  /** Those that wait or run, by their numbers. */
  readonly jobs: Entry[];
  /** The first of those that run: more than one only until a claim that came too late is taken back. */
  running: Entry | undefined;
};

export const NEW: JobState = {
  nonce: '',
  place: 'waiting',
  attempts: 0,
  deaths: 0,
  untilMs: 0,
  held: false,
  stopped: false,
  runs: [],
};

export class Picture {
  readonly entries = new Map<string, Entry>();
  readonly workers = new Map<string, SeenBeat>();
  readonly strangers = new Map<string, Stranger>();
  readonly lanes = new Map<string, Lane>();
  /** Jobs that are over and whose messages may be there still. */
  readonly over = new Map<string, Entry>();
  /** Changes of jobs that are not there, by id: what a crash, or somebody who came too late, has left. */
  readonly orphans = new Map<string, number[]>();
  /** Names of jobs that are over. */
  readonly receipts = new Map<string, Receipt>();
  paused = false;
  pausedSeq = 0;

  /** The job that it is about, where it changed one. */
  apply(message: Message): Entry | undefined {
    const topic = topicOf(message.subject);
    switch (topic.kind) {
      case 'job':
        return this.#job(topic.id, message);
      case 'receipt':
        return this.#receipt(topic.id, message);
      case 'run':
        return this.#run(topic.id, topic.generation, message);
      case 'said': {
        const { id, attempt, stream } = topic;
        const entry = this.entries.get(id);
        if (entry === undefined) this.#orphan(id, message.seq);
        else entry.said.push({ seq: message.seq, attempt, stream });
        return undefined;
      }
      case 'worker': {
        const record = parseRecord<WorkerRecord>(message.record, isWorkerRecord);
        if (record === undefined || record.gone === true) this.workers.delete(topic.worker);
        else this.workers.set(topic.worker, { ...record, seq: message.seq, beatMs: message.storedMs });
        return undefined;
      }
      case 'paused': {
        const record = parseRecord<{ readonly paused: boolean }>(message.record, isPausedRecord);
        this.paused = record?.paused ?? false;
        this.pausedSeq = message.seq;
        return undefined;
      }
      case 'again':
        return undefined;
      case 'other':
        this.#strange(message, 'it is no message of a queue');
        return undefined;
    }
  }

  /** The job that its lane is at: the one that runs, or the first. */
  headOf(lane: string): Entry | undefined {
    const found = this.lanes.get(lane);
    return found?.running ?? found?.jobs[0];
  }

  #job(id: string, message: Message): Entry | undefined {
    const job = parseRecord<JobRecord>(message.record, isJobRecord);
    if (job === undefined) {
      this.#strange(message, 'it says nothing that a job says');
      return undefined;
    }
    const known = this.entries.get(id) ?? this.over.get(id);
    if (known !== undefined || this.receipts.has(id)) {
      if (known === undefined) this.#orphan(id, message.seq);
      else if (known.seq !== message.seq) known.rivals.push(message.seq);
      return undefined;
    }
    const entry: Entry = {
      id,
      seq: message.seq,
      addedMs: message.storedMs,
      job,
      bytes: job.payload?.size ?? message.size,
      state: { ...NEW, untilMs: job.notBeforeMs ?? 0 },
      generation: 0,
      changes: [],
      changedMs: message.storedMs,
      said: [],
      rivals: [],
    };
    this.entries.set(id, entry);
    this.#order(entry);
    return entry;
  }

  #receipt(id: string, { seq, storedMs, record }: Message): Entry | undefined {
    const { over, free } = parseRecord<ReceiptRecord>(record, isReceiptRecord) ?? {};
    if (over === undefined) return undefined;
    if (free) this.receipts.delete(id);
    else this.receipts.set(id, { seq, over, storedMs });
    const entry = this.entries.get(id);
    const forgotten = this.forget(id);
    // One that came at the same time as that which is over now, and second.
    if (entry !== undefined && entry.seq !== over) this.#orphan(id, entry.seq);
    return forgotten;
  }

  #run(id: string, generation: number, message: Message): Entry | undefined {
    const entry = this.entries.get(id);
    const state = parseRecord<JobState>(message.record, isJobState);
    if (entry === undefined || state === undefined) {
      this.#orphan(id, message.seq);
      return undefined;
    }
    if (generation <= entry.generation) {
      entry.changes.unshift(message.seq); // it came too late: to be removed with those before the last
      return undefined;
    }
    entry.state = state;
    entry.generation = generation;
    entry.changes.push(message.seq);
    entry.changedMs = message.storedMs;
    this.#order(entry);
    if (state.place === 'over') {
      this.entries.delete(id);
      this.over.set(id, entry);
    }
    return entry;
  }

  #orphan(id: string, seq: number): void {
    this.orphans.set(id, [...(this.orphans.get(id) ?? []), seq]);
  }

  /** In its lane as long as it waits or runs. */
  #order(entry: Entry): void {
    const name = entry.job.lane;
    if (name === undefined) return;
    const lane = this.lanes.get(name) ?? { jobs: [], running: undefined };
    const { jobs } = lane;
    const { place } = entry.state;
    if (place !== 'waiting' && place !== 'running') {
      const at = jobs.indexOf(entry);
      if (at >= 0) jobs.splice(at, 1);
    } else if (jobs.length === 0 || (jobs.at(-1) as Entry).seq < entry.seq) {
      jobs.push(entry);
    } else if (!jobs.includes(entry)) {
      jobs.splice(
        jobs.findIndex(({ seq }) => seq > entry.seq),
        0,
        entry,
      );
    }
    if (place === 'running') {
      if (lane.running === undefined || entry.seq < lane.running.seq) lane.running = entry;
    } else if (lane.running === entry) lane.running = jobs.find(({ state }) => state.place === 'running');
    if (jobs.length === 0) this.lanes.delete(name);
    else this.lanes.set(name, lane);
  }

  /** Nothing of it is in the log any more, or soon will be: the log does not say so. */
  forget(id: string): Entry | undefined {
    this.over.delete(id);
    this.orphans.delete(id);
    const entry = this.entries.get(id);
    if (entry === undefined) return undefined;
    this.entries.delete(id);
    entry.state = { ...entry.state, place: 'over' };
    this.#order(entry);
    return entry;
  }

  #strange({ seq, subject }: Message, message: string): void {
    this.strangers.set(subject, { seq, subject, message });
  }
}
