// @ts-check
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/**
 * Runs worker.mjs in a process of its own.
 *
 * @param {...(string | number)} words
 * @returns {Promise<Record<string, number>>} what it printed
 */
export async function worker(...words) {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...words.map(String)]);
  return JSON.parse(stdout);
}
