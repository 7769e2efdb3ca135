import type { SystemError } from '../../src/os/ports.ts';

/** An error as the real ports throw it. */
export function errno(code: string, syscall: string, path = ''): SystemError {
  return Object.assign(new Error(`${code}: simulated, ${syscall} '${path}'`), { code, syscall, path });
}
