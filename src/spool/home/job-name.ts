/**
 * What the name of a job file says, so that most jobs can be put in order without opening one.
 *
 *     fspl-50.1763728496123.0.2.17.alice.0c2b1f6e-....fspl
 *          |  |             | | |  |     `- stem: names the job, and never changes
 *          |  |             | | |  `------- lane; empty: none; `%` alone: too long, see the header
 *          |  |             | | `---------- the job's number
 *          |  |             | `------------ how often it was started
 *          |  |             `-------------- not before, ms since 1970, `0` at once; `h` before it: held by somebody;
 *          |  |                             `f`: held, for it has failed and its lane must not go on without it
 *          |  `---------------------------- when it was added, ms since 1970
 *          `------------------------------- priority, 00 first
 *
 * To the original it is a job file like any other. A name that the original gave says none of this; it becomes one
 * like these when the job is first claimed, its old name then being the stem.
 */

import { decodeBytes, encodeBytes } from '../../os/bytes.ts';
import { LAST_SEQUENCE, type Sequence } from '../../packet/header.ts';
import { asFileName, fingerprint } from '../../queue/file-name.ts';
import { JOB_PREFIX, JOB_SUFFIX } from '../layout.ts';

export type JobName = {
  readonly priority: number;
  readonly addedMs: number;
  readonly notBeforeMs: number;
  /** It does not start, whatever its time. */
  readonly held: boolean;
  /** Why it is held: because it has failed, and not because somebody wants it. */
  readonly failed?: boolean;
  readonly attempts: number;
  readonly seq: Sequence;
  /** Undefined when it has none; `see-header` when the name has no room for it. */
  readonly lane: string | SeeHeader | undefined;
  readonly stem: string;
};

export const SEE_HEADER = Symbol('lane in the header');
export type SeeHeader = typeof SEE_HEADER;

/** A file name has 255 bytes at most; these leave room for all the numbers. */
const LANE_LIMIT = 64;
const STEM_LIMIT_BYTES = 100;

const LAST_ADDED_MS = 9_999_999_999_999;
const LAST_NOT_BEFORE_MS = 999_999_999_999_999;
const MOST_ATTEMPTS = 999_999_999;

const LANE_PATTERN = /^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+$/;

const PRIORITY_DIGITS = 2;
const ADDED_DIGITS = 13;
/** Numbers of so many digits are exact. */
const EXACT_DIGITS = 15;
const SEQUENCE_DIGITS = 20;

/**
 * Undefined for a name that says nothing. By hand, for a worker that begins on a million jobs reads a million names
 * before it runs the first.
 */
export function parseJobName(name: string): JobName | undefined {
  if (!name.startsWith(JOB_PREFIX) || !name.endsWith(JOB_SUFFIX)) return undefined;
  const afterPriority = JOB_PREFIX.length + PRIORITY_DIGITS;
  const afterAdded = afterPriority + 1 + ADDED_DIGITS;
  if (name[afterPriority] !== '.' || name[afterAdded] !== '.') return undefined;
  const afterStart = name.indexOf('.', afterAdded + 1);
  const afterAttempts = name.indexOf('.', afterStart + 1);
  const afterNumber = name.indexOf('.', afterAttempts + 1);
  const afterLane = name.indexOf('.', afterNumber + 1);
  const end = name.length - JOB_SUFFIX.length;
  if (Math.min(afterStart, afterAttempts, afterNumber, afterLane) < 0 || afterLane + 1 >= end) {
    return undefined;
  }
  const failed = name[afterAdded + 1] === 'f';
  const held = failed || name[afterAdded + 1] === 'h';
  const priority = numberIn(name, JOB_PREFIX.length, afterPriority);
  const addedMs = numberIn(name, afterPriority + 1, afterAdded);
  const notBeforeMs = numberIn(name, afterAdded + (held ? 2 : 1), afterStart);
  const attempts = numberIn(name, afterStart + 1, afterAttempts);
  const seq = sequenceIn(name, afterAttempts + 1, afterNumber);
  const lane = laneIn(name, afterNumber + 1, afterLane);
  if (seq === undefined || lane === NO_LANE_NAME) return undefined;
  if (Math.min(priority, addedMs, notBeforeMs, attempts) < 0) return undefined;
  const stem = name.slice(afterLane + 1, end);
  return { priority, addedMs, notBeforeMs, held, failed, attempts, seq, lane, stem };
}

/** The decimal number there; -1 when there is none. */
function numberIn(text: string, from: number, to: number): number {
  if (to <= from || to - from > EXACT_DIGITS) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

function sequenceIn(text: string, from: number, to: number): Sequence | undefined {
  if (to <= from || to - from > SEQUENCE_DIGITS) return undefined;
  const cut = Math.min(to, from + EXACT_DIGITS);
  const first = numberIn(text, from, cut);
  const rest = cut === to ? 0 : numberIn(text, cut, to);
  if (first < 0 || rest < 0) return undefined;
  const number = cut === to ? BigInt(first) : BigInt(text.slice(from, to));
  return number <= LAST_SEQUENCE ? (number as Sequence) : undefined;
}

const NO_LANE_NAME = Symbol('not the name of a lane');

function laneIn(name: string, from: number, to: number): JobName['lane'] | typeof NO_LANE_NAME {
  if (from === to) return undefined;
  const field = name.slice(from, to);
  if (field === '%') return SEE_HEADER;
  return LANE_PATTERN.test(field) ? decodeLane(field) : NO_LANE_NAME;
}

/** Numbers that have no room in a name, the times of a sender whose clock is wrong perhaps, become the nearest that do. */
export function formatJobName(job: JobName): string {
  const fields = [
    String(job.priority).padStart(2, '0'),
    String(within(job.addedMs, LAST_ADDED_MS)).padStart(13, '0'),
    `${holdField(job)}${within(job.notBeforeMs, LAST_NOT_BEFORE_MS)}`,
    within(job.attempts, MOST_ATTEMPTS),
    job.seq,
    laneField(job.lane),
    job.stem,
  ];
  return `${JOB_PREFIX}${fields.join('.')}${JOB_SUFFIX}`;
}

/** What names a job within its queue, whoever gave the file its name. */
export function stemOf(name: string): string {
  return parseJobName(name)?.stem ?? foreignStem(name);
}

/**
 * The stem for a name that the original gave: what is between `fspl-` and `.fspl`. Of one too long for what is to
 * come before it, the beginning and a number made from all of it.
 */
export function foreignStem(name: string): string {
  const stem = name.slice(JOB_PREFIX.length, -JOB_SUFFIX.length);
  const bytes = encodeBytes(stem);
  if (bytes.length <= STEM_LIMIT_BYTES) return stem === '' ? '_' : stem;
  return `${decodeBytes(bytes.subarray(0, STEM_LIMIT_BYTES - 17))}~${fingerprint(bytes)}`;
}

function within(value: number, last: number): number {
  return Math.min(Math.max(0, Math.ceil(value) || 0), last);
}

function holdField({ held, failed }: JobName): string {
  if (!held) return '';
  return failed === true ? 'f' : 'h';
}

function laneField(lane: JobName['lane']): string {
  if (lane === undefined) return '';
  if (lane === SEE_HEADER) return '%';
  const encoded = asFileName(lane);
  return encoded.length > LANE_LIMIT ? '%' : encoded;
}

/** What `asFileName` was given. */
export function decodeLane(encoded: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] === '%') {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(encoded.charCodeAt(at));
  }
  return decodeBytes(Uint8Array.from(bytes));
}
