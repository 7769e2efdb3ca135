/** A job on its way from one queue to another: what goes with it, and what it is called there. */

import { toDate } from '../os/calendar.ts';
import type { Job, NewJob } from '../queue/contract.ts';
import { asShortFileName } from '../queue/file-name.ts';
import { isTerm, type Terms, termsIn } from '../queue/terms.ts';

/** All that it has beside its payload; plain data, that it can be sent. */
export type CarriedJob = {
  /**
   * What it is called in every queue that it comes to: by this a second one is known. The name that its adder has chosen,
   * or one made of its id and the moment at which it was added, which no other job has.
   */
  readonly name: string;
  readonly params: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly lane?: string | undefined;
  readonly priority?: number | undefined;
  /** Milliseconds since 1970. */
  readonly notBeforeMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresMs?: number | undefined;
};

/** What may be left behind where a target has no place for it. */
export const LEAVABLE = ['params', 'env', 'lane', 'priority', 'not-before', 'expires'] as const;
export type Leavable = (typeof LEAVABLE)[number];

export type CarryOptions = {
  /** The lane of all jobs there, whatever it was here. */
  readonly lane?: string | undefined;
  readonly leaveOut?: readonly Leavable[] | undefined;
};

export function carriedFrom(job: Job, { lane, leaveOut = [] }: CarryOptions): CarriedJob {
  const { params, env } = job.work.kind === 'command' ? job.work : { params: [], env: [] };
  const terms: Terms = { ...termsIn(env), ...given(job.terms) };
  const keep = <T>(what: Leavable, value: T): T | undefined => (leaveOut.includes(what) ? undefined : value);
  return {
    name: terms.id === undefined || RELAYED.test(terms.id) ? lastingName(job) : terms.id,
    params: keep('params', params) ?? [],
    env: keep('env', Object.fromEntries(env.filter(([name]) => !isTerm(name)))) ?? {},
    lane: keep('lane', lane ?? terms.lane),
    priority: keep('priority', terms.priority),
    notBeforeMs: keep('not-before', terms.notBeforeMs),
    expiresMs: keep('expires', terms.expiresMs),
  };
}

/** As it is added. */
export function newJobOf(carried: CarriedJob): NewJob {
  const { name, params, env, lane, priority, notBeforeMs, expiresMs } = carried;
  return {
    name,
    params,
    env,
    ...(lane === undefined ? {} : { lane }),
    ...(priority === undefined ? {} : { priority }),
    ...(notBeforeMs === undefined ? {} : { notBefore: toDate(notBeforeMs) }),
    ...(expiresMs === undefined ? {} : { expires: toDate(expiresMs) }),
  };
}

/**
 * A name that a relay has made is for one way from queue to queue. Were it kept, a job that is moved there, back, and there
 * again would be taken for one that is known.
 */
const RELAYED = /^relay-.*-\d+\.\d+$/s;

/** Of a longer id the beginning and a number: ids that are made of names would make them longer on each way. */
const ID_LIMIT = 100;

function lastingName({ id, createdAt: { seconds, nanos } }: Job): string {
  return `relay-${asShortFileName(id, ID_LIMIT)}-${seconds}.${nanos}`;
}

function given(terms: Terms = {}): Terms {
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined));
}
