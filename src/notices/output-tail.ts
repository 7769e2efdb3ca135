import { decodeBytes } from '../os/bytes.ts';
import { isSystemError, type Machine } from '../os/ports.ts';
import { readTail } from '../os/tail.ts';
import type { FailingJob, JobId, OutputFile, Queue } from '../queue/contract.ts';

const LIMIT_BYTES = 4096;
const FIRST: readonly OutputFile['kind'][] = ['stderr', 'both', 'stdout'];

/** The last lines of what the run has said on standard error, or if it said nothing there, on standard output. */
export async function outputTail(
  { files }: Machine,
  queue: Pick<Queue, 'outputsOf'>,
  job: FailingJob,
): Promise<string> {
  const outputs = [...(queue.outputsOf?.({ id: job.id as JobId }, job.attempt) ?? [])];
  for (const { path } of outputs.sort((a, b) => FIRST.indexOf(a.kind) - FIRST.indexOf(b.kind))) {
    try {
      const tail = await readTail(files, path, LIMIT_BYTES);
      if (tail !== undefined && tail.bytes.length > 0)
        return wholeLines(decodeBytes(tail.bytes), tail.before);
    } catch (error) {
      if (!isSystemError(error)) throw error; // less is told, but it is told
    }
  }
  return '';
}

/** Of a text that was cut off at its beginning, from its first whole line on; where there is but one, what there is of it. */
function wholeLines(text: string, bytesBefore: number): string {
  const end = text.indexOf('\n');
  return bytesBefore === 0 || end < 0 || end === text.length - 1 ? text : text.slice(end + 1);
}
