import type { Files } from '../../src/os/ports.ts';
import { type FileCall, interceptFiles } from './intercepted-files.ts';

/** An error like those of the real ports. */
export function systemError(code: string, syscall: string, path = ''): Error {
  return Object.assign(new Error(`${code}: made by a test, ${syscall} '${path}'`), { code, syscall, path });
}

/** A file port whose calls fail where `fault` names an errno for them. */
export function faultyFiles(files: Files, fault: (call: FileCall) => string | undefined): Files {
  return interceptFiles(files, (call) => {
    const code = fault(call);
    if (code !== undefined) throw systemError(code, call.name, call.path);
  });
}

/** A file port whose n-th call, counted from 1, fails; all others work. */
export function failingOnce(
  files: Files,
  n: number,
  code: string,
): { readonly files: Files /** Undefined when there was no n-th call. */; failed(): FileCall | undefined } {
  let count = 0;
  let failed: FileCall | undefined;
  return {
    files: faultyFiles(files, (call) => {
      count += 1;
      if (count !== n) return undefined;
      failed = call;
      return code;
    }),
    failed: () => failed,
  };
}

/** More calls than anything under test makes: a loop over n that gets here would never end. */
const CALLS_LIMIT = 200;

/**
 * Calls `attempt` with a port that fails at its first call, then with one that fails at its second, and so on,
 * until one has no call left to fail. Returns how many calls there were to fail.
 */
export async function failEachCall(
  files: Files,
  code: string,
  attempt: (faulty: Files, failed: () => FileCall | undefined) => Promise<void>,
): Promise<number> {
  for (let n = 1; n <= CALLS_LIMIT; n++) {
    const faulty = failingOnce(files, n, code);
    try {
      await attempt(faulty.files, faulty.failed);
    } catch (error) {
      const call = faulty.failed();
      throw new Error(`with ${code} from call ${n}, ${call?.name} ${call?.path} ${call?.to ?? ''}`, {
        cause: error,
      });
    }
    if (faulty.failed() === undefined) return n - 1;
  }
  throw new Error(`still not through after ${CALLS_LIMIT} calls`);
}
