/** How long a failed job waits before it is run again. */

import type { Random } from '../os/ports.ts';

export type Backoff = {
  /** After the first failure. Default: 10,000. */
  readonly firstMs?: number;
  /** What each wait is of the one before. Default: 2. */
  readonly factor?: number;
  /** And at most. Default: 3,600,000, an hour. */
  readonly maxMs?: number;
};

const DEFAULTS: Required<Backoff> = { firstMs: 10_000, factor: 2, maxMs: 3_600_000 };

/** Jobs that failed together must not all come back together: each wait is up to a tenth shorter or longer. */
const JITTER = 0.1;
const HEX_DIGITS = 8;

/** `attempt` is how often it was started, from 1. */
export function backoffMs(random: Random, attempt: number, backoff: Backoff = {}): number {
  const { firstMs, factor, maxMs } = { ...DEFAULTS, ...backoff };
  const wait = Math.min(firstMs * factor ** (attempt - 1), maxMs);
  const chance = Number.parseInt(random.uuid().slice(0, HEX_DIGITS), 16) / 16 ** HEX_DIGITS;
  return Math.round(wait * (1 - JITTER + 2 * JITTER * chance));
}
