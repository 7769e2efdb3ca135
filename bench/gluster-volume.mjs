// @ts-check
/** A GlusterFS volume with three replicas, mounted by two machines, all of them namespaces of this one. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../test/machines/support/cluster.sh', import.meta.url));

/**
 * @param {string} directory
 * @returns {Promise<{ mount: string, on: (machine: 'c1' | 'c2') => string[], stop: () => Promise<void> } | undefined>} undefined where
 *   the machines cannot be made, which is said on standard error; `on` gives the words before a command
 */
export async function startVolume(directory) {
  mkdirSync(directory);
  const script = spawn('bash', [SCRIPT, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(script, 'close');
  const ready = await Promise.race([once(script.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!ready) return undefined;
  return {
    mount: `${directory}/mnt`,
    on: (machine) => {
      const pid = readFileSync(`${directory}/${machine}.pid`, 'utf8').trim();
      return ['nsenter', '--target', pid, '--all', '--'];
    },
    stop: async () => {
      script.stdin.end();
      await ended;
    },
  };
}
