/** The root directory of a simple-job-q: what is in it, and what that is called here. */

import { decodeBytes } from '../os/bytes.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { readSmallFile } from '../os/transfer.ts';
import { QueueError, reasonOf } from '../queue/errors.ts';
import {
  type Config,
  type ConfigProblem,
  DEFAULT_CONFIG,
  PLACES,
  type Place,
  parseConfig,
} from './config.ts';

export type Root = {
  readonly path: string;
  readonly places: Readonly<Record<Place, string>>;
  readonly reads: string;
  readonly says: string;
};

/** Where units of work come in. */
export const INCOMING = ['priority-q', 'wait-q'] as const satisfies readonly Place[];
/** Where they are when they are over. */
export const SETTLED = ['done-q', 'error-q', 'fail-q'] as const satisfies readonly Place[];
/** The places with an order in them, each with one README. */
export const QUEUES = [...INCOMING, 'currently-executing', ...SETTLED] as const satisfies readonly Place[];

const CONFIG_LIMIT_BYTES = 1024 * 1024;

export function rootAt(path: string, config: Config): Root {
  const places = Object.fromEntries(PLACES.map((place) => [place, join(path, config.names[place])]));
  return {
    path,
    places: places as Record<Place, string>,
    reads: within(path, config.reads),
    says: within(path, config.says),
  };
}

/** Opens a root as its config names things. Throws `not-a-root`, `config-damaged`. */
export async function openRoot(
  machine: Machine,
  path: string,
): Promise<{ readonly root: Root; readonly config: Config }> {
  const read = await readConfig(machine, path);
  if ('problems' in read) throw new QueueError('config-damaged', problemsText(path, read.problems));
  const root = rootAt(path, read.config);
  for (const place of QUEUES) {
    if (!(await isDirectory(machine, root.places[place]))) {
      const name = read.config.names[place];
      throw new QueueError('not-a-root', `${path}: it is no root of a simple-job-q: there is no ${name}/`);
    }
  }
  return { root, config: read.config };
}

export function configPath(root: string): string {
  return join(root, 'config.txt');
}

/** That of a root without `config.txt` is the default. */
export async function readConfig(
  machine: Machine,
  root: string,
): Promise<{ readonly config: Config } | { readonly problems: readonly ConfigProblem[] }> {
  let text: string;
  try {
    text = decodeBytes(await readSmallFile(machine.files, configPath(root), CONFIG_LIMIT_BYTES));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return { config: DEFAULT_CONFIG };
    return { problems: [{ line: 0, message: `it cannot be read: ${reasonOf(error)}` }] };
  }
  const parsed = parseConfig(text);
  return 'jobs' in parsed ? { config: parsed } : { problems: parsed };
}

export function problemsText(root: string, problems: readonly ConfigProblem[]): string {
  const path = configPath(root);
  return problems
    .map(({ line, message }) => `${path}${line > 0 ? `, line ${line}` : ''}: ${message}`)
    .join('\n');
}

/** While it is there, no job is started. */
export function pausedPath(root: Root): string {
  return join(root.path, 'paused');
}

export function lockPath(root: Root): string {
  return join(root.path, 'monitor.lock');
}

/** Below the root, unless it is absolute. */
export function within(root: string, path: string): string {
  return path.startsWith('/') ? path : join(root, path);
}

export function join(directory: string, name: string): string {
  return directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
}

async function isDirectory({ files }: Machine, path: string): Promise<boolean> {
  try {
    return (await files.stat(path)).kind === 'directory';
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}
