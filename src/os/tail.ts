import { type Files, hasErrno } from './ports.ts';

export type Tail = {
  readonly bytes: Uint8Array;
  /** How many bytes of the file are before these, from where it counts on. */
  readonly before: number;
};

/** The last bytes of a file that may grow meanwhile, behind its first `from`; undefined when it is not there or no file. */
export async function readTail(
  files: Files,
  path: string,
  limitBytes: number,
  from = 0,
): Promise<Tail | undefined> {
  try {
    const source = await files.open(path, 'read-job');
    try {
      const { kind, size } = await files.fstat(source);
      if (kind !== 'file') return undefined;
      const at = Math.max(from, size - limitBytes);
      const bytes = new Uint8Array(Math.max(0, size - at));
      const count = (await files.readAt?.(source, bytes, 0, bytes.length, at)) ?? 0;
      return { bytes: bytes.subarray(0, count), before: at - from };
    } finally {
      await files.close(source);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}
