/** An errno as thrown by every port. */
export type SystemError = Error & {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
};

export function isSystemError(error: unknown): error is SystemError {
  return (
    error instanceof Error && typeof (error as { code?: unknown }).code === 'string' && 'syscall' in error
  );
}

/** True when `error` is the system's, with one of these errno names. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  return isSystemError(error) && names.includes(error.code);
}
