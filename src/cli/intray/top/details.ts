/** What single jobs bring, have said and died of: read from their files, for those that are shown and no others. */

import { decodeBytes } from '../../../os/bytes.ts';
import { parseTime } from '../../../os/calendar.ts';
import { closeQuietly } from '../../../os/close-quietly.ts';
import { hasErrno, type Machine } from '../../../os/ports.ts';
import { type OutputKind, outputPath, readRuns } from '../../../spool/home/run-log.ts';
import { jobsDirectory, join } from '../../../spool/layout.ts';
import type { Decoder } from '../../../spool/open-packet.ts';
import { headerReader, lookAt } from '../../../spool/queue-files.ts';
import { paramsOf } from '../job-words.ts';
import { type Details, type Failure, NO_DETAILS, type SeenQueue } from './picture.ts';
import { MOST_ROWS, rowsOf } from './rows.ts';

/** The last line is looked for in so many bytes. */
const TAIL_BYTES = 4096;

export class DetailReader {
  readonly #machine: Machine;
  readonly #read: ReturnType<typeof headerReader>;
  /** Of the queue that was shown last; what a job brings does not change. */
  #params: ReadonlyMap<string, string> = new Map();
  #failures: ReadonlyMap<string, Failure> = new Map();

  constructor(machine: Machine, decoder: Decoder | undefined) {
    this.#machine = machine;
    this.#read = headerReader(machine, decoder);
  }

  /** Of the rows that pass the filter. */
  async read(queue: SeenQueue, filter: string, nowMs: number): Promise<Details> {
    const known = { ...queue, details: { ...NO_DETAILS, params: this.#params, failures: this.#failures } };
    const { running, waiting, failed } = rowsOf(known, filter, nowMs);
    const { snapshot } = queue;
    const params = new Map<string, string>();
    const said = new Map<string, string>();
    const failures = new Map<string, Failure>();
    for (const { job } of running.slice(0, MOST_ROWS)) {
      await this.#addParams(params, job.stem, job.path);
      const line = await this.#lastLine(snapshot.queue, job.stem, job.attempts);
      if (line !== undefined) said.set(job.stem, line);
    }
    for (const { job } of waiting) {
      await this.#addParams(params, job.stem, join(jobsDirectory(snapshot.queue), job.name));
    }
    const stored = new Map(snapshot.failed.map((job) => [job.stem, job.path]));
    for (const { stem, holds } of failed) {
      const path = stored.get(stem);
      if (holds || path === undefined) continue;
      await this.#addParams(params, stem, path);
      failures.set(stem, this.#failures.get(stem) ?? (await this.#failureOf(snapshot.queue, stem)));
    }
    this.#params = params;
    this.#failures = failures;
    return { params, said, failures };
  }

  async #addParams(params: Map<string, string>, stem: string, path: string): Promise<void> {
    const known = this.#params.get(stem);
    if (known !== undefined) {
      params.set(stem, known);
      return;
    }
    const look = await lookAt(this.#machine, path, 'file', this.#read);
    if (look.kind === 'job') params.set(stem, paramsOf(look.header));
  }

  async #failureOf(queue: string, stem: string): Promise<Failure> {
    const run = (await readRuns(this.#machine, queue, stem)).at(-1);
    return { reason: run?.reason ?? '', endedMs: run === undefined ? undefined : parseTime(run.ended) };
  }

  /** Of its output and its errors, what was written to last. */
  async #lastLine(queue: string, stem: string, attempt: number): Promise<string | undefined> {
    const tails: { readonly modifiedMs: number; readonly line: string }[] = [];
    for (const kind of ['out', 'err'] as const satisfies readonly OutputKind[]) {
      const tail = await this.#tailOf(outputPath(queue, stem, attempt, kind));
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
