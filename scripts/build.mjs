// @ts-check
/**
 * Builds dist/: the library and the commands for Node, and the single-file executable.
 *
 *     dist/index.js, dist/**\/*.d.ts   the library, for Node >= 20.15 and Bun
 *     dist/cli.js                     every command, for Node: node dist/cli.js fspl ...
 *     dist/man/man1/intray*.1         manual pages; man finds them when dist/bin is in PATH
 *     dist/bin/intray                 the same as one executable, with dist/bin/fspl, fsq and dq-... links to it
 *
 * The executable needs Bun, which npm installs; `--library` leaves it out.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tool = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);

/** The names the executable answers to. */
const LINKS = ['fspl', 'fsq', 'dq-submit', 'dq-deque', 'dq-server', 'dq-list'];

function library() {
  execFileSync(tool('tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  chmodSync(join(root, 'dist/cli.js'), 0o755);
}

async function manual() {
  const { manPages } = await import('../dist/cli/man-page.js');
  const { programOf } = await import('../dist/cli/intray/program.js');
  const { COMMANDS } = await import('../dist/cli/intray/commands.js');
  const directory = join(root, 'dist/man/man1');
  mkdirSync(directory, { recursive: true });
  for (const { file, text } of manPages(programOf(COMMANDS))) writeFileSync(join(directory, file), text);
}

function executable() {
  const bin = join(root, 'dist/bin');
  mkdirSync(bin, { recursive: true });
  const args = [
    'build',
    '--compile',
    '--minify',
    '--bytecode',
    // A command loads what it needs, not all that there is: 4 to 6 ms of a start.
    '--splitting',
    '--format=esm',
    // Without these two the executable would read .env and bunfig.toml of the directory it is run in, and run
    // what a bunfig.toml names.
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--no-compile-autoload-tsconfig',
    '--no-compile-autoload-package-json',
    '--external',
    'koffi',
    join(root, 'src/cli.ts'),
    '--outfile',
    join(bin, 'intray'),
  ];
  execFileSync(tool('bun'), args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of LINKS) {
    rmSync(join(bin, name), { force: true });
    symlinkSync('intray', join(bin, name));
  }
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
library();
await manual();
if (!process.argv.includes('--library')) {
  if (!existsSync(tool('bun')))
    throw new Error('Bun is not installed: run npm ci first, with install scripts allowed');
  executable();
}
