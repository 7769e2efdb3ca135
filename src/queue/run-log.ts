/**
 * What became of each start of a job: `STEM.jsonl` in a directory of the queue's, one line each, and what its command
 * said beside it, `STEM.N.out` and `STEM.N.err` of the Nth start.
 */

import { decodeBytes, encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import { type Descriptor, type Files, hasErrno, type Machine } from '../os/ports.ts';
import { copyAll, readExactly, readSmallFile } from '../os/transfer.ts';
import type { OutputFile, RunFacts } from './contract.ts';
import type { RunRecord } from './snapshot.ts';

/** What is known of a run beside its outcome. */
export type RunNotes = { readonly reason?: string } & RunFacts;

export type { RunRecord } from './snapshot.ts';

export function runLogPath(directory: string, stem: string): string {
  return `${directory}/${stem}.jsonl`;
}

export type OutputKind = 'out' | 'err';

export function outputPath(directory: string, stem: string, attempt: number, kind: OutputKind): string {
  return `${directory}/${stem}.${attempt}.${kind}`;
}

/** Where that start of a job writes. */
export function outputsOf(directory: string, stem: string, attempt: number): OutputFile[] {
  return [
    { attempt, kind: 'stdout', path: outputPath(directory, stem, attempt, 'out') },
    { attempt, kind: 'stderr', path: outputPath(directory, stem, attempt, 'err') },
  ];
}

/** Of a longer output, the beginning and the end are kept. */
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

export type RunOutput = {
  readonly stdout: Descriptor;
  readonly stderr: Descriptor;
  /** After the run: keeps what was said, or not. */
  end(keep: boolean): Promise<void>;
};

/** Opens files for what a run says. They are only made longer, so a command may go on with them after us. */
export async function openOutput(
  machine: Machine,
  directory: string,
  stem: string,
  attempt: number,
): Promise<RunOutput> {
  const { files } = machine;
  const paths = (['out', 'err'] as const).map((kind) => outputPath(directory, stem, attempt, kind));
  const [out, err] = paths as [string, string];
  const stdout = await files.open(out, 'append');
  const stderr = await files.open(err, 'append');
  return {
    stdout,
    stderr,
    end: async (keep) => {
      for (const [path, descriptor] of [
        [out, stdout],
        [err, stderr],
      ] as const) {
        try {
          const { size } = await files.fstat(descriptor);
          await closeQuietly(files, descriptor);
          if (!keep || size === 0) await files.unlink(path);
          else if (size > OUTPUT_LIMIT_BYTES) await shorten(machine, path, size);
        } catch {
          // What a run has said must not decide over what becomes of the job.
        }
      }
    },
  };
}

/** Leaves out the middle. */
async function shorten({ files }: Machine, path: string, size: number): Promise<void> {
  const half = OUTPUT_LIMIT_BYTES / 2;
  const temporary = `${path}.temp`;
  const source = await files.open(path, 'read');
  const target = await files.open(temporary, 'truncate');
  try {
    await files.write(target, await readExactly(files, source, half));
    await files.write(target, encodeBytes(`\n[intray: ${size - OUTPUT_LIMIT_BYTES} bytes left out]\n`));
    await skip(files, source, size - OUTPUT_LIMIT_BYTES);
    await copyAll(files, source, target);
  } finally {
    await closeQuietly(files, source);
    await closeQuietly(files, target);
  }
  await files.rename(temporary, path);
}

async function skip(files: Files, source: Descriptor, bytes: number): Promise<void> {
  const scratch = new Uint8Array(64 * 1024);
  let left = bytes;
  while (left > 0) {
    const count = await files.read(source, scratch, 0, Math.min(left, scratch.length));
    if (count === 0) return;
    left -= count;
  }
}

/** Adds a line. Not synced: what the log says is never what a job's fate hangs on. */
export async function recordRun(
  { files }: Machine,
  directory: string,
  stem: string,
  record: RunRecord,
): Promise<void> {
  const descriptor = await files.open(runLogPath(directory, stem), 'append');
  try {
    await files.write(descriptor, encodeBytes(`${JSON.stringify(record)}\n`));
  } finally {
    await closeQuietly(files, descriptor);
  }
}

/** A job that was started a thousand times has no longer a log than this. */
const LOG_LIMIT_BYTES = 1024 * 1024;

/** The runs of a job, first to last. A line that a crash has cut off, or that somebody else has written, is left out. */
export async function readRuns({ files }: Machine, directory: string, stem: string): Promise<RunRecord[]> {
  let text: string;
  try {
    text = decodeBytes(await readSmallFile(files, runLogPath(directory, stem), LOG_LIMIT_BYTES));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG') || error instanceof RangeError)
      return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const record = parsedRun(line);
    return record === undefined ? [] : [record];
  });
}

/** How many starts ended with the death of the worker since one that did not. */
export function deathsInARow(runs: readonly RunRecord[]): number {
  return runs.length - 1 - runs.findLastIndex(({ outcome }) => outcome !== 'died');
}

function parsedRun(line: string): RunRecord | undefined {
  try {
    const record = JSON.parse(line) as RunRecord | null;
    const whole = typeof record?.attempt === 'number' && typeof record.outcome === 'string';
    return whole ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets the runs of a job that is gone. `attempts` is how often it was started. */
export async function removeRuns(
  { files }: Machine,
  directory: string,
  stem: string,
  attempts: number,
): Promise<void> {
  const paths = [runLogPath(directory, stem)];
  for (let attempt = 1; attempt <= Math.min(attempts, MOST_OUTPUTS); attempt++) {
    for (const kind of ['out', 'err'] as const) paths.push(outputPath(directory, stem, attempt, kind));
  }
  for (const path of paths) {
    try {
      await files.unlink(path);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) throw error;
    }
  }
}

/** `gc` finds the rest. */
const MOST_OUTPUTS = 1000;
