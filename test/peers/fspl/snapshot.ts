// The directory that a scenario leaves behind, as plain data.
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { bytesToText, describeContent, type Numbering, type Window, withoutNames } from './normalise.ts';

type Found = { readonly path: string; readonly what: string };

const TYPES = [
  ['isDirectory', 'directory'],
  ['isSymbolicLink', 'symlink'],
  ['isFIFO', 'fifo'],
  ['isSocket', 'socket'],
  ['isCharacterDevice', 'device'],
] as const;

/** Path -> type, mode and content of everything below a directory. Names are bytes, shown as text. */
export function snapshot(directory: string, window: Window, numbering: Numbering): Record<string, string> {
  const found = [...walk(Buffer.from(directory), '', window)];
  // Random names get their numbers in the order of what they stand for, not in the order of chance.
  const key = (entry: Found) => withoutNames(`${entry.path}\0${entry.what}`);
  found.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return Object.fromEntries(found.map(({ path, what }) => [numbering(path), numbering(what)]));
}

function* walk(directory: Buffer, shown: string, window: Window): Generator<Found> {
  for (const name of readdirSync(directory, { encoding: 'buffer' })) {
    const full = Buffer.concat([directory, Buffer.from('/'), name]);
    const path = `${shown}${bytesToText(name)}`;
    const stat = lstatSync(full);
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
    const type = TYPES.find(([test]) => stat[test]());
    if (!type) {
      yield { path, what: `file ${mode} ${describeContent(readFileSync(full), window)}` };
    } else if (type[1] === 'symlink') {
      yield { path, what: `symlink to ${bytesToText(readlinkSync(full, { encoding: 'buffer' }))}` };
    } else {
      yield { path, what: `${type[1]} ${mode}` };
      if (type[1] === 'directory') yield* walk(full, `${path}/`, window);
    }
  }
}
