/** All that the page of a job shows, read from its files. */

import { decodeBytes } from '../os/bytes.ts';
import type { Machine } from '../os/ports.ts';
import { readTail } from '../os/tail.ts';
import { adviceFor } from '../queue/advice.ts';
import type { OutputFile } from '../queue/contract.ts';
import { reasonOf } from '../queue/errors.ts';
import { factsOf } from '../queue/job-facts.ts';
import type { FoundJob, RunRecord } from '../queue/snapshot.ts';
import { type Preview, previewOf } from './payload.ts';
import type { Seen } from './seen.ts';

export type Output = Pick<OutputFile, 'attempt' | 'kind'> &
  (
    | {
        readonly text: string;
        /** Bytes before it, which are not shown. */
        readonly before: number;
      }
    | { readonly problem: string }
  );

export type JobSight = {
  readonly job: FoundJob;
  readonly facts: readonly (readonly [title: string, value: string])[];
  readonly sentence: string;
  readonly advice: string | undefined;
  readonly runs: readonly RunRecord[];
  readonly running: number | undefined;
  readonly outputs: readonly Output[];
  readonly payload: Preview | { readonly problem: string };
};

const OUTPUT_BYTES = 64 * 1024;
/** Of a job that was started a thousand times, the last outputs. */
const MOST_OUTPUTS = 20;
const PAYLOAD_BYTES = 8 * 1024;

export async function sightOf(
  machine: Machine,
  { keeper, snapshot, location }: Seen,
  job: FoundJob,
): Promise<JobSight> {
  const { sentence, advice } = await keeper.explain(snapshot, job);
  const { records, running, outputs } = await keeper.runs(job);
  const shown: Output[] = [];
  for (const { attempt, kind, path, bytes } of outputs.slice(-MOST_OUTPUTS)) {
    try {
      const tail =
        bytes === undefined ? await readTail(machine.files, path, OUTPUT_BYTES) : { bytes, before: 0 };
      if (tail === undefined || tail.bytes.length === 0) continue;
      shown.push({ attempt, kind, text: decodeBytes(tail.bytes), before: tail.before });
    } catch (error) {
      shown.push({ attempt, kind, problem: `${path}: ${reasonOf(error)}` });
    }
  }
  return {
    job,
    facts: factsOf(snapshot, job, await keeper.details(job)),
    sentence,
    advice: adviceFor(advice, location, job),
    runs: records,
    running,
    outputs: shown,
    payload: await payloadOf(machine, keeper, job),
  };
}

async function payloadOf(
  machine: Machine,
  keeper: Seen['keeper'],
  job: FoundJob,
): Promise<JobSight['payload']> {
  try {
    return await previewOf(machine, keeper, job, PAYLOAD_BYTES);
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}
