/** What the STATUS line of a unit of work says of it. Its first word tells where it belongs. */

import { formatUtc } from '../os/calendar.ts';
import type { Timestamp } from '../os/ports.ts';
import { formatSpan } from '../os/span.ts';

/**
 * | word      | what has happened                                                                       |
 * |-----------|-----------------------------------------------------------------------------------------|
 * | `running` | its job was about to be started, and may be running                                     |
 * | `done`    | its job has ended with 0                                                                |
 * | `error`   | its job ran to its end, with another exit code                                          |
 * | `fail`    | its job was killed, ran too long, could not be started, or lost its Monitor             |
 * | any other | it waits                                                                                |
 */
export type StatusKind = 'waiting' | 'running' | Ending;

export type Ending = 'done' | 'error' | 'fail';

export function statusKind(status: string): StatusKind {
  const [, word] = /^(running|done|error|fail):/.exec(status) ?? [];
  return (word as StatusKind | undefined) ?? 'waiting';
}

export function runningStatus(type: string, at: Timestamp): string {
  return `running: ${type}, started ${formatUtc(at)}`;
}

/** `tookMs`: left out when nobody knows. */
export function endedStatus(ending: Ending, reason: string, at: Timestamp, tookMs?: number): string {
  const after = tookMs === undefined ? '' : ` after ${formatSpan(tookMs)}`;
  return `${ending}: ${reason}${after}, ${formatUtc(at)}`;
}

/** Of one that was put back into a queue: what came of it before. */
export function againStatus(before: string): string {
  return `again; before: ${before}`;
}
