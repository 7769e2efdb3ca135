/** What a sender may ask for its job beside its command: under these names it travels among the job's variables. */

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
