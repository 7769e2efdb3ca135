// Which programs are compared, and what to do when one of them is not there.
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Program = {
  readonly name: string;
  /** One word: a program file, linked under the name fspl. More words: a wrapper script runs them. */
  readonly command: readonly [string, ...string[]];
  /** Why it cannot be run here, or undefined. */
  readonly absent: string | undefined;
};

const repository = fileURLToPath(new URL('../../..', import.meta.url));

export const FIXTURES = process.env.INTRAY_FIXTURES ?? `${repository}test/fixtures`;

function program(name: string, command: readonly [string, ...string[]], file: string, hint: string): Program {
  return { name, command, absent: existsSync(file) ? undefined : hint };
}

const oracle = process.env.FSPL_ORACLE ?? '/usr/bin/fspl';
export const real = program('real', [oracle], oracle, 'Debian package filespooler is not installed');

/** The variants of ours. INTRAY_OURS=/some/program replaces them all, for work on the suite itself. */
export const ours: readonly Program[] = process.env.INTRAY_OURS
  ? [program('given', [process.env.INTRAY_OURS], process.env.INTRAY_OURS, 'INTRAY_OURS does not exist')]
  : [
      program(
        'executable',
        [`${repository}dist/bin/fspl`],
        `${repository}dist/bin/fspl`,
        'dist/bin/fspl is not built (npm run build)',
      ),
      program(
        'node',
        [process.execPath, `${repository}dist/cli.js`, 'fspl'],
        `${repository}dist/cli.js`,
        'dist/cli.js is not built (npm run build)',
      ),
    ];

/** True for the same program file: then there are no differences to expect. */
export function isSameProgram(a: Program, b: Program): boolean {
  if (a.absent !== undefined || b.absent !== undefined) return false;
  return a.command.length === 1 && realpathSync(a.command[0]) === realpathSync(b.command[0]);
}

export const peersRequired = process.env.INTRAY_REQUIRE_PEERS === '1';
