/**
 * What is told of a job that has failed for good. The form is that of Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks, spec): `type`, `timestamp`, `data`.
 */

import { formatMs, toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { FailingJob, Queue } from '../queue/contract.ts';
import { outputTail } from './output-tail.ts';

export type Notice = {
  readonly type: 'job.failed';
  /** RFC 3339. */
  readonly timestamp: string;
  readonly data: {
    readonly host: string;
    /** Its directory. */
    readonly queue: string;
    readonly job: string;
    readonly lane: string | null;
    /** In the order of its lane, or of its queue. In decimal digits: it may be larger than a JSON reader's numbers. */
    readonly number: string | null;
    readonly attempt: number;
    readonly reason: string;
    readonly exitCode: number | null;
    readonly signal: number | null;
    /** The end of what its last run has said. */
    readonly output: string;
  };
};

/** As it is delivered; `body` is the notice as JSON. */
export type Posted = { readonly id: string; readonly body: string };

/** What is told of a queue. */
export type NotedQueue = Pick<Queue, 'location' | 'outputsOf'>;

export async function noticeOf(machine: Machine, job: FailingJob, queue: NotedQueue): Promise<Notice> {
  const { exit } = job;
  return {
    type: 'job.failed',
    timestamp: formatMs(toMs(machine.clock.now())),
    data: {
      host: machine.host.name,
      queue: await whole(machine, queue.location),
      job: job.id,
      lane: job.lane || null,
      number: job.lane === undefined || job.seq === undefined ? null : String(job.seq),
      attempt: job.attempt,
      reason: job.reason,
      exitCode: exit?.kind === 'exited' ? exit.code : null,
      signal: exit?.kind === 'signaled' ? exit.signal : null,
      output: await outputTail(machine, queue, job),
    },
  };
}

/** A path that says where it is on any desk. */
async function whole({ files }: Machine, path: string): Promise<string> {
  try {
    return await files.realPath(path);
  } catch {
    return path; // it has just gone, or may not be asked for: then it is as the worker calls it
  }
}

/** As JSON that every reader takes: of bytes that are not UTF-8 stands U+FFFD. */
export function noticeText(notice: Notice): string {
  return JSON.stringify(notice, (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
}

/** The same as variables for a command. What is not known is empty. */
export function noticeVariables(id: string, { timestamp, data }: Notice): [name: string, value: string][] {
  const variables: [string, string | number | null][] = [
    ['INTRAY_NOTICE', id],
    ['INTRAY_FAILED_AT', timestamp],
    ['INTRAY_HOST', data.host],
    ['INTRAY_QUEUE', data.queue],
    ['INTRAY_JOB', data.job],
    ['INTRAY_LANE', data.lane],
    ['INTRAY_NUMBER', data.number],
    ['INTRAY_ATTEMPT', data.attempt],
    ['INTRAY_REASON', data.reason],
    ['INTRAY_EXIT_CODE', data.exitCode],
    ['INTRAY_SIGNAL', data.signal],
    ['INTRAY_OUTPUT', data.output.trimEnd()],
  ];
  // No variable can have a zero byte in it.
  return variables.map(([name, value]) => [name, String(value ?? '').replaceAll('\0', '\ufffd')]);
}
