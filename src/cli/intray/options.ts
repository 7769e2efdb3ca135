/** Operands and options that several commands have, and what their values may be. */

import { isPriority, isTerm } from '../../queue/terms.ts';
import type { Operand, Parse } from '../command.ts';
import { text } from '../command.ts';
import { span } from '../time.ts';

export const QUEUE: Operand<string> = {
  name: 'DIR',
  help: 'The directory of the queue, or nats://HOST/QUEUE',
  parse: text,
};

/** For what only looks: at this one, at those in it, and at more. */
export const SEEN_QUEUES = {
  operand: {
    name: 'DIR',
    help: 'A queue, or a directory of queues [default: the current directory]',
    parse: text,
    otherwise: '.',
  },
  more: { name: 'DIR', help: 'More of them', atLeast: 0 },
} as const;

export const MORE_QUEUES = { name: 'DIR', help: 'More queues', atLeast: 0 } as const;

/** A whole number of at least `least`. */
export function wholeNumber(least: number, most = 1_000_000): Parse<number> {
  return (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most
      ? { value: number }
      : { expected: `a whole number from ${least} to ${most}` };
  };
}

const LEAST_INTERVAL_MS = 100;
const LONGEST_INTERVAL_MS = 86_400_000;

/** How often something is done. */
export const interval: Parse<number> = (value) => {
  const found = span(value);
  return 'value' in found && found.value >= LEAST_INTERVAL_MS && found.value <= LONGEST_INTERVAL_MS
    ? found
    : { expected: 'a span of time from 100ms to 1d, such as 2s' };
};

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1000,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

/** Bytes a second: `500k`, `1MiB/s`. */
export const rate: Parse<number> = (value) => {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([kmg]i?)?b?(?:\/s)?$/i.exec(value) ?? [];
  const bytes = Number(number) * (UNIT_BYTES[unit.toLowerCase()] ?? 1);
  return bytes >= 1 ? { value: bytes } : { expected: 'a number of bytes a second, such as 500k or 1MiB/s' };
};

export const priority: Parse<number> = (value) => {
  const number = /^\d{1,2}$/.test(value) ? Number(value) : Number.NaN;
  return isPriority(number) ? { value: number } : { expected: 'a whole number from 0 (first) to 99 (last)' };
};

export const nonEmpty: Parse<string> = (value) => (value === '' ? { expected: 'a name' } : { value });

/** `NAME=VALUE`; the queue's own names have options instead. */
export const variable: Parse<readonly [name: string, value: string]> = (value) => {
  const split = value.indexOf('=');
  const name = value.slice(0, Math.max(split, 0));
  if (name === '') return { expected: 'NAME=VALUE' };
  if (isTerm(name)) return { expected: `another variable: ${name} is said by an option of its own` };
  return { value: [name, value.slice(split + 1)] };
};
