// @ts-check
/** Where and with what the numbers were made. */

import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import os from 'node:os';

const PACKAGE = new URL('../package.json', import.meta.url);

/** What each side promises about an accepted job after a power cut; the numbers are not for the same work. */
export const DURABILITY = {
  real: 'fsync of each new file, no fsync of its directory: a power cut can take an accepted job back',
  ours: 'fsync of each new file and, after the rename, of its directory: an accepted job stays',
};

/**
 * @param {string} directory
 * @param {ReturnType<typeof import('./sides.mjs').findSides>} sides
 */
export function describeMachine(directory, sides) {
  const [cpu] = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${os.cpus().length} x ${cpu?.model.trim() ?? os.arch()}, ${Math.round(os.totalmem() / 2 ** 30)} GB`,
    system: `${os.type()} ${os.release()}`,
    fileSystem: fileSystemOf(realpathSync(directory)),
    directory,
    node: process.version,
    ours: `intray ${JSON.parse(readFileSync(PACKAGE, 'utf8')).version}`,
    real: sides.real === undefined ? undefined : firstLine(sides.real.fspl[0], ['--version']),
    load: os.loadavg()[0]?.toFixed(2),
    durability: DURABILITY,
  };
}

/**
 * @param {ReturnType<typeof describeMachine>} machine
 */
export function formatMachine(machine) {
  return [
    `${machine.date}: ${machine.machine}, ${machine.system}, load ${machine.load} at the start`,
    `in ${machine.directory} (${machine.fileSystem})`,
    `ours: ${machine.ours}, as an executable and on Node ${machine.node}`,
    `real: ${machine.real ?? 'not found, so ours alone is measured (install filespooler, or name it by --real)'}`,
    'Not the same work where a file is written:',
    `  real: ${machine.durability.real}`,
    `  ours: ${machine.durability.ours}`,
  ].join('\n');
}

/**
 * The type of the file system that a path is on, as /proc/mounts names it; stat(1) calls ext4 ext2/ext3.
 *
 * @param {string} path
 */
function fileSystemOf(path) {
  let mounts = '';
  try {
    mounts = readFileSync('/proc/mounts', 'utf8');
  } catch {
    return 'file system not known'; // no /proc here
  }
  let longest = '';
  let type = 'file system not known';
  for (const line of mounts.split('\n')) {
    const [, place = '', kind = ''] = line.split(' ');
    const above = place === '/' || path === place || path.startsWith(`${place}/`);
    if (!above || place.length < longest.length) continue;
    longest = place;
    type = kind;
  }
  return type;
}

/**
 * @param {string | undefined} program
 * @param {string[]} args
 */
function firstLine(program, args) {
  if (program === undefined) return undefined;
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0];
  } catch {
    return undefined;
  }
}
