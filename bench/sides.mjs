// @ts-check
/** Who is compared: the real fspl, and ours in its two forms. */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * One program that takes fspl's command line.
 *
 * @typedef {object} Side
 * @property {'real' | 'executable' | 'node'} name
 * @property {readonly string[]} fspl the words before fspl's own arguments
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const EXECUTABLE = join(root, 'dist/bin/fspl');
const SCRIPT = join(root, 'dist/cli.js');

/**
 * Those that are there. Throws when ours has not been built.
 *
 * @param {string | undefined} named the real program, when it was named; else it is looked for in PATH
 * @returns {{ real: Side | undefined, executable: Side, node: Side }}
 */
export function findSides(named) {
  for (const needed of [EXECUTABLE, SCRIPT]) {
    if (!existsSync(needed)) throw new Error(`${needed} is not there: run \`npm run build\` first`);
  }
  const real = named ?? findReal();
  return {
    real: real === undefined ? undefined : { name: 'real', fspl: [real] },
    executable: { name: 'executable', fspl: [EXECUTABLE] },
    node: { name: 'node', fspl: [process.execPath, SCRIPT, 'fspl'] },
  };
}

/** fspl in PATH, as long as it is not a link of ours. */
function findReal() {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, 'fspl');
    if (directory !== '' && !directory.startsWith(root) && existsSync(path)) return path;
  }
  return undefined;
}
