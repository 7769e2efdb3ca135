// @ts-check
/** The laptop's home directory, made of real files of this project, and what happens to it on five days. */

import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));

/**
 * One day before a night's backup: what to tell of it, and what it does to the tree at `home`.
 *
 * @typedef {{ story: string, happen: (home: string) => void }} Day
 */

/** @type {readonly Day[]} */
export const DAYS = [
  {
    story: 'The first backup: everything.',
    happen: (home) => {
      for (const part of ['src', 'docs', 'package.json', 'LICENSE']) copy(part, home, `code/intray/${part}`);
      copy('node_modules/typescript', home, 'code/typescript');
      write(home, 'letters/diary.txt', 'Day 1. I should make backups.\n');
      write(home, 'letters/Grüße aus 京都 🐢.txt', 'Wish you were here.\n');
      write(home, 'letters/two  spaces, a "quote" and a $HOME.txt', 'No shell was harmed.\n');
      write(home, 'letters/-rf', 'A name that looks like an option.\n');
      write(home, 'letters/two\nlines.txt', 'A name with a line break.\n');
      write(home, 'bin/hello', '#!/bin/sh\necho hello\n', 0o755);
      mkdirSync(join(home, 'empty'));
      symlinkSync('letters/diary.txt', join(home, 'latest'));
      linkSync(join(home, 'letters/-rf'), join(home, 'bin/the same file'));
    },
  },
  {
    story: 'A package installed, a script edited and locked away.',
    happen: (home) => {
      copy('node_modules/@types', home, 'code/types');
      write(home, 'bin/hello', '#!/bin/sh\necho "hello, $USER"\n', 0o700);
      write(home, 'letters/draft.txt', 'Dear Sir or Madam,\n');
    },
  },
  {
    story: 'Another package, a directory and a file renamed, a link turned.',
    happen: (home) => {
      copy('node_modules/fast-check', home, 'code/fast-check');
      renameSync(join(home, 'code/types'), join(home, 'code/types of others'));
      renameSync(join(home, 'letters/draft.txt'), join(home, 'letters/sent.txt'));
      rmSync(join(home, 'latest'));
      symlinkSync('code/types of others', join(home, 'latest'));
    },
  },
  {
    story: 'Spring cleaning: directories deleted, a file now a directory.',
    happen: (home) => {
      // First the new directory: tar takes one that got the inode of a deleted one for the old one, renamed.
      rmSync(join(home, 'letters/sent.txt'));
      write(home, 'letters/sent.txt/1.txt', 'Dear Sir or Madam,\n');
      rmSync(join(home, 'code/fast-check'), { recursive: true });
      rmSync(join(home, 'code/typescript/lib'), { recursive: true });
      rmSync(join(home, 'letters/-rf'));
      rmSync(join(home, 'empty'), { recursive: true });
    },
  },
  {
    story: 'A hard link made, a name swapped, a directory made private.',
    happen: (home) => {
      linkSync(join(home, 'letters/diary.txt'), join(home, 'bin/diary'));
      renameSync(join(home, 'bin/hello'), join(home, 'bin/swap'));
      renameSync(join(home, 'bin/the same file'), join(home, 'bin/hello'));
      renameSync(join(home, 'bin/swap'), join(home, 'bin/the same file'));
      mkdirSync(join(home, 'empty again'));
      chmodSync(join(home, 'letters'), 0o700);
    },
  },
];

/**
 * Lets one day happen; `day` counts from 1. The diary is written every day.
 *
 * @param {string} home
 * @param {number} day
 */
export function liveThrough(home, day) {
  const { happen } = /** @type {Day} */ (DAYS[day - 1]);
  happen(home);
  appendFileSync(join(home, 'letters/diary.txt'), `Night ${day}. Backup made.\n`);
}

/**
 * Copies a part of this project, if it is there.
 *
 * @param {string} part
 * @param {string} home
 * @param {string} path
 */
function copy(part, home, path) {
  const source = join(project, part);
  if (existsSync(source)) cpSync(source, join(home, path), { recursive: true, dereference: true });
}

/**
 * @param {string} home
 * @param {string} path
 * @param {string} text
 * @param {number} mode
 */
function write(home, path, text, mode = 0o644) {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, mode);
}
