import type { Files } from '../../src/os/ports.ts';
import { type FileCall, interceptFiles } from './intercepted-files.ts';

export type Recording = {
  readonly files: Files;
  /** Every call so far, in order. */
  readonly calls: readonly FileCall[];
  /** The calls with these names as `name path`, `root` and random parts of names left out. */
  told(root: string, ...names: (keyof Files)[]): string[];
};

const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/g;

/** A file port that remembers what was asked of it. */
export function recordingFiles(files: Files): Recording {
  const calls: FileCall[] = [];
  return {
    files: interceptFiles(files, (call) => calls.push(call)),
    calls,
    told: (root, ...names) =>
      calls
        .filter(({ name }) => names.includes(name))
        .map((call) => shown(call).replaceAll(`${root}/`, '').replaceAll(root, '.').replace(UUID, 'ID')),
  };
}

/** Calls that change what is on disk, or make a change last. */
export const CHANGES = [
  'write',
  'writeAt',
  'fsync',
  'fsyncAside',
  'rename',
  'link',
  'unlink',
  'mkdir',
] as const satisfies (keyof Files)[];

function shown({ name, path, to }: FileCall): string {
  return to === undefined ? `${name} ${path}` : `${name} ${path} ${to}`;
}
