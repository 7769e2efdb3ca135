/** A job that waits, as far as its name or its header says it, and the order of service. */

import { toMs } from '../../os/calendar.ts';
import type { Machine } from '../../os/ports.ts';
import type { PacketHeader, Sequence } from '../../packet/header.ts';
import { QUEUE_LANE } from '../../queue/words.ts';
import { lookAt, type ReadHeader } from '../queue-files.ts';
import { foreignStem, type JobName, parseJobName, SEE_HEADER } from './job-name.ts';
import type { Order } from './rooms.ts';
import { priorityOf, termsOf } from './terms.ts';

export type Waiting = {
  readonly name: string;
  readonly priority: number;
  readonly addedMs: number;
  readonly notBeforeMs: number;
  readonly held: boolean;
  /** Why it is held: because it has failed. */
  readonly failed?: boolean;
  readonly attempts: number;
  readonly seq: Sequence;
  /** The lane whose order it keeps; undefined: free of any order. */
  readonly lane: string | undefined;
  readonly stem: string;
};

/** What a job is, by its name alone, where that says all. */
export function waitingByName(order: Order, name: string): Waiting | undefined {
  const said = parseJobName(name);
  if (said === undefined || said.lane === SEE_HEADER) return undefined;
  const { priority, addedMs, notBeforeMs, held, failed = false, attempts, seq, stem } = said;
  // One object for each of perhaps a million names, not two.
  const lane = laneKept(order, said.lane);
  return { name, priority, addedMs, notBeforeMs, held, failed, attempts, seq, lane, stem };
}

/** What a job is, by its name, or by its header where the name leaves something open; undefined: nobody can tell. */
export async function whatIs(
  machine: Machine,
  order: Order,
  read: ReadHeader,
  path: string,
): Promise<Waiting | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const named = waitingByName(order, name);
  if (named !== undefined) return named;
  const look = await lookAt(machine, path, 'file', read);
  return look.kind === 'job' ? waitingByHeader(order, name, look.header) : undefined;
}

/** What a job is, by its header, and by its name where that says more. */
export function waitingByHeader(order: Order, name: string, header: PacketHeader): Waiting {
  const terms = termsOf(header);
  const said: Omit<JobName, 'lane' | 'seq'> = parseJobName(name) ?? {
    priority: priorityOf(terms),
    addedMs: Math.max(0, toMs(header.ctime)),
    notBeforeMs: terms.notBeforeMs ?? 0,
    held: false,
    attempts: 0,
    stem: foreignStem(name),
  };
  return { ...said, name, seq: header.seq, lane: laneKept(order, terms.lane) };
}

/** The lane whose order a job keeps: of one without, the queue's own or none. */
export function laneKept(order: Order, lane: string | undefined): string | undefined {
  return lane ?? (order === 'sequence' ? QUEUE_LANE : undefined);
}

/** What the order of service goes by. */
export type Placed = Pick<Waiting, 'priority' | 'addedMs' | 'seq' | 'name'>;

/** The order of service: by priority, then first come, first served. */
export function byService(a: Placed, b: Placed): number {
  return a.priority - b.priority || a.addedMs - b.addedMs || byNumber(a, b);
}

/** The order of a lane. */
export function byNumber(a: Placed, b: Placed): number {
  return a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
