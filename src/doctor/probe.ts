/**
 * What the doctor asks a file system. A probe does one small thing in a directory of our own and tells what happened,
 * as data; which promises hang on it says promises.ts, in which words it is told the command.
 */

import { isSystemError, type Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';

/**
 * | verdict | what it means |
 * |---------|---------------|
 * | holds   | it was tried and is as it should be |
 * | fails   | it was tried and is not, or is known not to be on this kind of file system |
 * | unknown | it could not be tried here; `seen` says why |
 */
export type Verdict = 'holds' | 'fails' | 'unknown';

export type Outcome = {
  readonly verdict: Verdict;
  /** What was seen, as the end of a sentence, without a full stop. */
  readonly seen: string;
  /** Measurements; the unit ends each name. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Where the system hindered us, on a full disk say: what it said. */
  readonly error?: string;
};

/** Where probes work. */
export type Bench = {
  readonly machine: Machine;
  /** A new directory on the file system in question; whatever is in it is removed afterwards. */
  readonly directory: string;
  /** Aborted: we are to end soon, and no result is wanted any more. */
  readonly stop: AbortSignal;
};

export type Probe = {
  /** As it is in the output of --json. */
  readonly name: string;
  /** What it is about, as people read it in a column. */
  readonly title: string;
  measure(bench: Bench): Promise<Outcome>;
};

export function holds(seen: string, numbers?: Outcome['numbers']): Outcome {
  return { verdict: 'holds', seen, ...(numbers === undefined ? {} : { numbers }) };
}

export function fails(seen: string, numbers?: Outcome['numbers']): Outcome {
  return { verdict: 'fails', seen, ...(numbers === undefined ? {} : { numbers }) };
}

export function unknown(seen: string): Outcome {
  return { verdict: 'unknown', seen };
}

/** What an errno that nobody expected leaves us with. */
export function notMeasured(error: unknown): Outcome {
  const code = isSystemError(error) ? error.code : 'unexpected';
  return { ...unknown(`it could not be tried: ${reasonOf(error)}`), error: code };
}
