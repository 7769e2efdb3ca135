/** The run log of a queue with rooms: in `log/`. */

import type { Machine } from '../../os/ports.ts';
import type { OutputFile } from '../../queue/contract.ts';
import * as runLog from '../../queue/run-log.ts';
import type { RunRecord } from '../../queue/snapshot.ts';
import { room } from './rooms.ts';

export type { RunNotes, RunOutput } from '../../queue/run-log.ts';

export function outputPath(queue: string, stem: string, attempt: number, kind: runLog.OutputKind): string {
  return runLog.outputPath(room(queue, 'log'), stem, attempt, kind);
}

/** Where that start of a job writes. */
export function outputsOf(queue: string, stem: string, attempt: number): OutputFile[] {
  return runLog.outputsOf(room(queue, 'log'), stem, attempt);
}

export function openOutput(
  machine: Machine,
  queue: string,
  stem: string,
  attempt: number,
): Promise<runLog.RunOutput> {
  return runLog.openOutput(machine, room(queue, 'log'), stem, attempt);
}

export function recordRun(machine: Machine, queue: string, stem: string, record: RunRecord): Promise<void> {
  return runLog.recordRun(machine, room(queue, 'log'), stem, record);
}

export function readRuns(machine: Machine, queue: string, stem: string): Promise<RunRecord[]> {
  return runLog.readRuns(machine, room(queue, 'log'), stem);
}

export function removeRuns(machine: Machine, queue: string, stem: string, attempts: number): Promise<void> {
  return runLog.removeRuns(machine, room(queue, 'log'), stem, attempts);
}
