/** What a run's command says: written to memory, and put into the log when the run has ended. */

import { concatBytes, encodeBytes } from '../os/bytes.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Descriptor, Machine } from '../os/ports.ts';
import type { OutputFile } from '../queue/contract.ts';
import type { Log } from './log.ts';

/** Of a longer output, the beginning and the end are kept. */
const KEPT_BYTES = 64 * 1024;

export type Said = {
  readonly stdout: Descriptor;
  readonly stderr: Descriptor;
  /** As they can be read here while the run goes on, on Linux. */
  readonly now: readonly OutputFile[];
  /** After the run: keeps what was said, or not; returns what was kept. */
  end(keep: boolean): Promise<readonly OutputFile[]>;
};

export function outputOf(
  path: string,
  attempt: number,
  kind: 'stdout' | 'stderr',
  bytes: Uint8Array,
): OutputFile {
  return { attempt, kind, path: `${path}/${attempt}/${kind}`, bytes };
}

export async function openSaid(machine: Machine, log: Log, id: string, attempt: number): Promise<Said> {
  const { files, processes } = machine;
  const stdout = await processes.scratch();
  const stderr = await processes.scratch();
  return {
    stdout,
    stderr,
    now: [
      { attempt, kind: 'stdout', path: `/proc/self/fd/${stdout}` },
      { attempt, kind: 'stderr', path: `/proc/self/fd/${stderr}` },
    ],
    end: async (keep) => {
      const kept: OutputFile[] = [];
      for (const [kind, descriptor] of [
        ['stdout', stdout],
        ['stderr', stderr],
      ] as const) {
        try {
          const bytes = keep ? await shortened(machine, descriptor) : undefined;
          if (bytes !== undefined && bytes.length > 0) {
            await log.wire.append(log.subjects.said(id, attempt, kind), '{}', machine.random.uuid(), bytes);
            kept.push(outputOf(`${log.place}/${id}`, attempt, kind, bytes));
          }
        } catch {
          // What a run has said must not decide over what becomes of the job.
        } finally {
          await closeQuietly(files, descriptor);
        }
      }
      return kept;
    },
  };
}

async function shortened({ files }: Machine, source: Descriptor): Promise<Uint8Array> {
  const { size } = await files.fstat(source);
  if (size <= KEPT_BYTES) return part(files, source, 0, size);
  const half = KEPT_BYTES / 2;
  return concatBytes([
    await part(files, source, 0, half),
    encodeBytes(`\n[intray: ${size - KEPT_BYTES} bytes left out]\n`),
    await part(files, source, size - half, half),
  ]);
}

async function part(
  files: Machine['files'],
  source: Descriptor,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const count = (await files.readAt?.(source, bytes, 0, length, position)) ?? 0;
  return bytes.subarray(0, count);
}
