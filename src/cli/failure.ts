import { hasErrno } from '../os/ports.ts';
import { isQueueError, reasonOf } from '../queue/errors.ts';

/** The error as people read it: what, with which file, and what to do. */
export function sentenceOf(error: unknown): string {
  if (isQueueError(error)) return error.hint === '' ? error.message : `${error.message}\n${error.hint}`;
  if (hasErrno(error, 'EPIPE')) return 'whoever was reading our output has gone';
  const path = (error as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? `${path}: ${reasonOf(error)}` : reasonOf(error);
}
