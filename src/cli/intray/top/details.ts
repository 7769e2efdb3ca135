/** What single jobs bring, have said and died of: read from their files, for those that are shown and no others. */

import { decodeBytes } from '../../../os/bytes.ts';
import { parseTime } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { paramsOf } from '../../../queue/job-words.ts';
import type { Keeper } from '../../../queue/keeper.ts';
import type { FoundJob, RunningJob, StoredJob } from '../../../queue/snapshot.ts';
import { type Details, type Failure, NO_DETAILS, type SeenQueue } from './picture.ts';
import { MOST_ROWS, rowsOf } from './rows.ts';

/** The last line is looked for in so many bytes. */
const TAIL_BYTES = 4096;

export class DetailReader {
  readonly #machine: Machine;
  /** Of the queue that was shown last; what a job brings does not change. */
  #params: ReadonlyMap<string, string> = new Map();
  #failures: ReadonlyMap<string, Failure> = new Map();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Of the rows that pass the filter. */
  async read(keeper: Keeper, queue: SeenQueue, filter: string, nowMs: number): Promise<Details> {
    const known = { ...queue, details: { ...NO_DETAILS, params: this.#params, failures: this.#failures } };
    const { running, waiting, failed } = rowsOf(known, filter, nowMs);
    const { snapshot } = queue;
    const params = new Map<string, string>();
    const said = new Map<string, string>();
    const failures = new Map<string, Failure>();
    for (const { job } of running.slice(0, MOST_ROWS)) {
      await this.#addParams(keeper, params, job);
      const line = await this.#lastLine(keeper, job);
      if (line !== undefined) said.set(job.id, line);
    }
    for (const { job } of waiting) await this.#addParams(keeper, params, job);
    const stored = new Map(snapshot.failed.map((job) => [job.id, job]));
    for (const { id, holds } of failed) {
      const job = stored.get(id);
      if (holds || job === undefined) continue;
      await this.#addParams(keeper, params, job);
      failures.set(id, this.#failures.get(id) ?? (await this.#failureOf(keeper, job)));
    }
    this.#params = params;
    this.#failures = failures;
    return { params, said, failures };
  }

  async #addParams(keeper: Keeper, params: Map<string, string>, job: FoundJob): Promise<void> {
    const known = this.#params.get(job.id);
    if (known !== undefined) {
      params.set(job.id, known);
      return;
    }
    const contents = await keeper.contents(job);
    if (contents !== undefined) params.set(job.id, paramsOf(contents));
  }

  async #failureOf(keeper: Keeper, job: StoredJob): Promise<Failure> {
    const run = (await keeper.runs(job)).records.at(-1);
    return { reason: run?.reason ?? '', endedMs: run === undefined ? undefined : parseTime(run.ended) };
  }

  /** Of its output and its errors, what was written to last. */
  async #lastLine(keeper: Keeper, job: RunningJob): Promise<string | undefined> {
    const tails: { readonly modifiedMs: number; readonly line: string }[] = [];
    for (const { attempt, path, bytes } of (await keeper.runs(job)).outputs) {
      // What is no file is there when the run has ended, and this one has not.
      if (bytes !== undefined || (attempt !== undefined && attempt !== job.attempts)) continue;
      const tail = await this.#tailOf(path);
      if (tail !== undefined && tail.line !== '') tails.push(tail);
    }
    return tails.sort((a, b) => b.modifiedMs - a.modifiedMs)[0]?.line;
  }

  async #tailOf(path: string): Promise<{ readonly modifiedMs: number; readonly line: string } | undefined> {
    const { files } = this.#machine;
    try {
      const descriptor = await files.open(path, 'read-job');
      try {
        const { size, kind, modifiedMs } = await files.fstat(descriptor);
        if (kind !== 'file' || files.readAt === undefined) return undefined;
        const bytes = new Uint8Array(Math.min(size, TAIL_BYTES));
        const count = await files.readAt(descriptor, bytes, 0, bytes.length, size - bytes.length);
        return { modifiedMs, line: lastLineOf(decodeBytes(bytes.subarray(0, count))) };
      } finally {
        await closeQuietly(files, descriptor);
      }
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG', 'ESTALE')) return undefined;
      throw error;
    }
  }
}

/** Programs that show how far they are begin the same line anew with a carriage return. */
export function lastLineOf(text: string): string {
  const lines = text.split(/[\r\n]/).filter((line) => line.trim() !== '');
  return lines.at(-1) ?? '';
}
