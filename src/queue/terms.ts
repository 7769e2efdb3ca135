/**
 * What a sender may ask for its job beside its command. Where a layout has no place of its own for it, it travels among
 * the job's variables, under reserved names: so it passes through any pipe or directory, and a sender that has only the
 * original can ask for it too:
 *
 *     FSPL_SET_INTRAY_LANE=alice fspl prepare -s ~/alice.seq ... | fspl queue-write -q ~/queue
 *
 * | name                | value                                                                              |
 * |---------------------|------------------------------------------------------------------------------------|
 * | `INTRAY_LANE`       | its lane: jobs of one lane run one after the other, in the order of their numbers |
 * | `INTRAY_PRIORITY`   | 0 to 99, 0 first; 50 when left out                                                 |
 * | `INTRAY_NOT_BEFORE` | RFC 3339 time before which it does not start                                       |
 * | `INTRAY_EXPIRES`    | RFC 3339 time after which it does not start                                        |
 * | `INTRAY_ID`         | the sender's own name for it: a second job of that name is not added               |
 * | `INTRAY_NOTHING`    | `1`: there is nothing to run; it keeps its lane's number for a job that was removed |
 */

import { formatMs, parseTime } from '../os/calendar.ts';

export const TERM_NAMES = {
  lane: 'INTRAY_LANE',
  priority: 'INTRAY_PRIORITY',
  notBefore: 'INTRAY_NOT_BEFORE',
  expires: 'INTRAY_EXPIRES',
  id: 'INTRAY_ID',
  nothing: 'INTRAY_NOTHING',
} as const;

/** Whether a variable of that name is one of these. */
export function isTerm(name: string): boolean {
  return (Object.values(TERM_NAMES) as readonly string[]).includes(name);
}

export const FIRST_PRIORITY = 0;
export const DEFAULT_PRIORITY = 50;
export const LAST_PRIORITY = 99;

export function isPriority(value: number): boolean {
  return Number.isInteger(value) && value >= FIRST_PRIORITY && value <= LAST_PRIORITY;
}

export type Terms = {
  readonly lane?: string | undefined;
  readonly priority?: number | undefined;
  /** Milliseconds since 1970. */
  readonly notBeforeMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresMs?: number | undefined;
  readonly id?: string | undefined;
  readonly nothing?: boolean | undefined;
};

/** As variables of a packet, without the `FSPL_SET_` before them. */
export function termsToEnv(terms: Terms): [name: string, value: string][] {
  const env: [string, string][] = [];
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined) env.push([name, value]);
  };
  put(TERM_NAMES.lane, terms.lane);
  put(TERM_NAMES.priority, terms.priority?.toString());
  if (terms.notBeforeMs !== undefined) put(TERM_NAMES.notBefore, formatMs(terms.notBeforeMs));
  if (terms.expiresMs !== undefined) put(TERM_NAMES.expires, formatMs(terms.expiresMs));
  put(TERM_NAMES.id, terms.id);
  if (terms.nothing === true) put(TERM_NAMES.nothing, '1');
  return env;
}

/** What variables ask for. A value that makes no sense is as if it were not there: the job was accepted. */
export function termsIn(variables: readonly (readonly [name: string, value: string])[]): Terms {
  if (variables.length === 0) return {};
  const env = new Map(variables);
  const priority = env.get(TERM_NAMES.priority) ?? '';
  return {
    lane: nonEmpty(env.get(TERM_NAMES.lane)),
    priority: /^\d{1,2}$/.test(priority) ? Number(priority) : undefined,
    notBeforeMs: timeOf(env.get(TERM_NAMES.notBefore)),
    expiresMs: timeOf(env.get(TERM_NAMES.expires)),
    id: nonEmpty(env.get(TERM_NAMES.id)),
    nothing: env.get(TERM_NAMES.nothing) === '1' ? true : undefined,
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text);
}
