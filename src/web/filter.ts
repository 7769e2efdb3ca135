/** Which of a queue's jobs a page shows. Whatever the query says, there is a filter that it means. */

import { laneOf, type StateWord, stateOf } from '../queue/job-words.ts';
import type { FoundJob } from '../queue/snapshot.ts';

export const STATES = [
  'ready',
  'delayed',
  'held',
  'behind',
  'gap',
  'duplicate',
  'past',
  'stuck',
  'running',
  'failed',
  'unreadable',
  'done',
] as const satisfies readonly StateWord[];

export type Filter = {
  /** Undefined: all but those that are done. */
  readonly state: StateWord | undefined;
  /** `''`: any. */
  readonly lane: string;
  /** In its id, the name of its file, its lane or its parameters, or, of `#17`, its number. `''`: any. */
  readonly text: string;
  /** From 1 on. */
  readonly page: number;
};

const LONGEST_WORD = 200;
const LAST_PAGE = 1_000_000;

export function readFilter(query: string): Filter {
  const values = new URLSearchParams(query);
  const word = (name: string) => (values.get(name) ?? '').trim().slice(0, LONGEST_WORD);
  const page = /^\d{1,7}$/.test(word('page')) ? Number(word('page')) : 1;
  return {
    state: STATES.find((state) => state === word('state')),
    lane: word('lane'),
    text: word('text'),
    page: Math.min(Math.max(1, page), LAST_PAGE),
  };
}

/** The query that means it. */
export function queryOf({ state, lane, text, page }: Filter): string {
  const values = new URLSearchParams();
  if (state !== undefined) values.set('state', state);
  if (lane !== '') values.set('lane', lane);
  if (text !== '') values.set('text', text);
  if (page > 1) values.set('page', String(page));
  const query = values.toString();
  return query === '' ? '' : `?${query}`;
}

/** Whether it is of that state and lane, whatever its text. */
export function isAmong(job: FoundJob, { state, lane }: Filter): boolean {
  if (state === undefined ? job.place === 'done' : stateOf(job) !== state) return false;
  return lane === '' || laneOf(job) === lane;
}

/** In what is known of it without opening its file. */
export function isCalled(job: FoundJob, { text }: Filter): boolean {
  if (text === '') return true;
  if (meansNumber(text)) return job.seq?.toString() === text.slice(1);
  const { id, name } = job;
  return [id, name, laneOf(job) ?? ''].some((words) => words.includes(text));
}

/** Such a text is looked for nowhere else. */
export function meansNumber(text: string): boolean {
  return /^#\d+$/.test(text);
}

export type Page<T> = {
  readonly rows: readonly T[];
  /** The number of the first row, from 1 on; 0 of none. */
  readonly first: number;
  readonly count: number;
  readonly page: number;
  readonly pages: number;
};

/** The page that was asked for, or the last one there is. */
export function pageOf<T>(all: readonly T[], asked: number, size: number): Page<T> {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(asked, pages);
  const from = (page - 1) * size;
  const rows = all.slice(from, from + size);
  return { rows, first: rows.length === 0 ? 0 : from + 1, count: all.length, page, pages };
}
