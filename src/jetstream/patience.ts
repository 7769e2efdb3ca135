/**
 * What the servers answer when they cannot: while a stream has no leader, which takes seconds after its server has died,
 * and while nobody can be reached. Asking again is right then, and harmless: what is asked for here changes nothing twice.
 */

import type { Clock } from '../os/ports.ts';
import { sleep } from '../os/sleep.ts';
import { QueueError } from '../queue/errors.ts';

/** For how long, from when they last answered; a new leader takes some seconds. */
const PATIENCE_MS = 30_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** A server that has lost the others of its cluster answers nobody, and those may be well: so long we give it. */
const ELSEWHERE_MS = 10_000;

/** Asks until there is an answer. Throws `not-reachable` in the end, and what cannot be mended by waiting at once. */
export type Patience = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * For all that is asked through one connection: where one has waited in vain, those who come after it ask once.
 * `elsewhere` turns to another server.
 */
export function patienceOf(clock: Clock, place: string, elsewhere: () => void): Patience {
  /** Nobody has answered since then; undefined: the last who asked was answered. */
  let silentSinceMs: number | undefined;
  let askedElsewhereMs = 0;
  const noteSilence = (): number => {
    const nowMs = clock.monotonicMs();
    silentSinceMs ??= nowMs;
    if (nowMs - Math.max(silentSinceMs, askedElsewhereMs) >= ELSEWHERE_MS) {
      askedElsewhereMs = nowMs;
      elsewhere();
    }
    return silentSinceMs;
  };
  return async (ask) => {
    const beganMs = clock.monotonicMs();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const answer = await ask();
        silentSinceMs = undefined;
        return answer;
      } catch (error) {
        if (!passes(error)) {
          silentSinceMs = undefined;
          throw explained(place, error);
        }
        const sinceMs = Math.min(beganMs, noteSilence());
        if (clock.monotonicMs() + pauseMs > sinceMs + PATIENCE_MS) throw notReachable(place, error);
      }
      await sleep(clock, pauseMs);
    }
  };
}

export function notReachable(place: string, cause: unknown): QueueError {
  const { name, message = String(cause) } = (cause ?? {}) as { name?: string; message?: string };
  const why = name === 'JetStreamNotEnabled' ? 'none of them has it, or leads it now' : message;
  return new QueueError('not-reachable', `${place}: the servers do not answer: ${why}`, { cause });
}

const PASSING = new Set([
  'TimeoutError',
  'RequestError',
  'NoRespondersError',
  'ConnectionError',
  'ClosedConnectionError',
  'DrainingConnectionError',
  'JetStreamNotEnabled',
]);

const UNAVAILABLE = 503;
/** Of the answers with 503 those that do not pass: no space left, of several kinds. */
const LASTING = new Set([10023, 10047, 10077, 10074]);

function passes(error: unknown): boolean {
  if (!(error instanceof Error) || isForbidden(error)) return false;
  // That of an account without JetStream has a cause, which will not pass; that of a stream without a leader has none.
  if (PASSING.has(error.name)) return apiErrorOf(error.cause) === undefined;
  const { status, code } = apiErrorOf(error) ?? {};
  return status === UNAVAILABLE && !LASTING.has(code ?? 0);
}

/** As the servers number them: an HTTP status, and a code of their own. */
export function apiErrorOf(error: unknown): { readonly status: number; readonly code: number } | undefined {
  const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
  return typeof status === 'number' && typeof code === 'number' ? { status, code } : undefined;
}

function isForbidden(error: Error): boolean {
  return [error, error.cause].some((one) => (one as Error | undefined)?.name === 'PermissionViolationError');
}

function explained(place: string, error: unknown): unknown {
  if (error instanceof Error && isForbidden(error)) {
    const hint = 'Who has that user may give it the permission.';
    return new QueueError('not-possible', `${place}: we may not do that: ${error.message}`, {
      cause: error,
      hint,
    });
  }
  const { cause } = error as { cause?: unknown };
  if ((apiErrorOf(error) ?? apiErrorOf(cause)) === undefined) return error;
  const { message } = error as Error;
  return new QueueError('not-possible', `${place}: the server refuses: ${message}`, { cause: error });
}
