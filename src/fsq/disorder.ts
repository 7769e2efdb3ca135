/**
 * What is not in order in a queue, and putting it right. No item is ever deleted.
 *
 * | finding             | what is done                                                                |
 * |---------------------|-----------------------------------------------------------------------------|
 * | `not-an-item`       | by its name or its kind: moved to fail/, as a scan would do                  |
 * | `unreadable`        | a link to nothing: a person                                                 |
 * | `temporary`         | in tmp/, older than a day, so that nobody writes it any more: removed       |
 * | `other-file-system` | of one of the directories: items cannot be moved between them; a person     |
 */

import { toMs } from '../os/calendar.ts';
import { hasErrno, type Machine } from '../os/ports.ts';
import { elsewhere } from '../queue/elsewhere.ts';
import type { Finding, Repaired } from '../queue/keeper.ts';
import { SharedSync } from '../queue/shared-sync.ts';
import type { Constants } from './constants.ts';
import { brokenLinks, LINK_TO_NOTHING, listWaiting } from './listing.ts';
import { join, type Place, roomsOf } from './place.ts';
import { refuseMalformed } from './refuse.ts';

const STALE_MS = 24 * 3_600_000;

const TO_FAIL = ['move it to fail/', 'moved to fail/'] as const;

export async function findDisorder(machine: Machine, place: Place, constants: Constants): Promise<Finding[]> {
  const list = await listWaiting(machine, place, constants);
  const broken = await brokenLinks(machine, place.waiting, list);
  return [
    ...(await elsewhere(machine, place.directory, roomsOf(place))).map(
      (path): Finding => ({
        kind: 'other-file-system',
        path,
        message: 'it is on another file system than the queue, so items cannot be moved between them',
        remedy: 'person',
        advice: 'have it on the file system of DIR: a directory, not a mount or a link',
      }),
    ),
    ...list.malformed.map(
      ({ name, message }): Finding => ({
        kind: 'not-an-item',
        path: join(place.waiting, name),
        message,
        remedy: 'to-fail',
        words: TO_FAIL,
      }),
    ),
    ...broken.map(
      (name): Finding => ({
        kind: 'unreadable',
        path: join(place.waiting, name),
        message: LINK_TO_NOTHING,
        remedy: 'person',
        advice: 'bring back what it led to, or remove it: rm PATH',
      }),
    ),
    ...(await staleTemporaries(machine, place)),
  ];
}

async function staleTemporaries(machine: Machine, { tmp }: Place): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name } of await machine.files.readdir(tmp)) {
    const path = join(tmp, name);
    if (!(await isStale(machine, path))) continue;
    const message = 'it is a temporary file that nobody writes any more';
    findings.push({ kind: 'temporary', path, message, remedy: 'remove', severity: 'note' });
  }
  return findings;
}

async function isStale({ files, clock }: Machine, path: string): Promise<boolean> {
  try {
    const { modifiedMs, kind } = await files.stat(path);
    return kind === 'file' && toMs(clock.now()) - modifiedMs > STALE_MS;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESTALE')) return false;
    throw error;
  }
}

export async function repairAll(
  machine: Machine,
  place: Place,
  constants: Constants,
  findings: readonly Finding[],
): Promise<Repaired[]> {
  const sync = new SharedSync(machine.files);
  const { malformed } = await listWaiting(machine, place, constants);
  const entries = new Map(malformed.map(({ name, entry }) => [join(place.waiting, name), entry]));
  const repaired: Repaired[] = [];
  const one = async ({ path, remedy, message }: Finding): Promise<Repaired['result']> => {
    if (remedy === 'to-fail') {
      const entry = entries.get(path);
      if (entry === undefined) return 'not-needed';
      const refused = await refuseMalformed({ machine, place, sync }, entry, message);
      return refused === undefined ? 'not-needed' : refused.path === path ? 'left' : 'done';
    }
    if (remedy !== 'remove') return 'left';
    return (await isStale(machine, path)) && (await unlinked(machine, path)) ? 'done' : 'not-needed';
  };
  try {
    for (const finding of findings) repaired.push({ finding, result: await one(finding) });
  } finally {
    await sync.close();
  }
  return repaired;
}

async function unlinked({ files }: Machine, path: string): Promise<boolean> {
  try {
    await files.unlink(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
