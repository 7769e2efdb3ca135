/**
 * Finding what is not as it should be in a queue, and putting it right where that loses nothing. No job is ever deleted:
 * what cannot be run is set aside in `failed/`.
 *
 * | finding             | what is done                                                                           |
 * |---------------------|----------------------------------------------------------------------------------------|
 * | `rooms-missing`     | made, with nobody else in the queue                                                    |
 * | `dead-worker`       | its jobs go back to jobs/, its directory goes: as any worker does                      |
 * | `stray-job`         | a job directly in `work/`, where no worker has it: back to jobs/                       |
 * | `temporary`         | older than a day, so that nobody writes it any more: removed                           |
 * | `damaged`           | a packet that cannot be read as a job: set aside                                       |
 * | `encoded`           | not a packet, perhaps an encoded one: a person has to say                              |
 * | `duplicate`         | one more copy of a job, byte by byte: set aside; not the same bytes: a person          |
 * | `done-again`        | a job that is in `done/` and waits too, byte by byte: set aside; else a person         |
 * | `past`              | its number is past: set aside; in a queue of the original, which may keep such: a person |
 * | `mode`              | a directory or job that its owner may not use: that is permitted                       |
 * | `damaged-file`      | settings or a number: a person                                                         |
 * | `no-access`         | a file or directory that the system keeps from us: a person                            |
 * | `jobs-missing`, `number-missing`, `lock-missing`, `other-file-system` | basics.ts: a person                  |
 */

import { toMs } from '../../../os/calendar.ts';
import { entriesOf } from '../../../os/if-there.ts';
import type { Machine } from '../../../os/ports.ts';
import type { Finding } from '../../../queue/keeper.ts';
import type { QueueSnapshot } from '../../../queue/snapshot.ts';
import { counted } from '../../../queue/words.ts';
import { isJobName, jobsDirectory, join, nextSequencePath } from '../../layout.ts';
import type { Decoder } from '../../open-packet.ts';
import { ROOMS, readSettings, room } from '../rooms.ts';
import { takeSnapshot } from '../seeing/snapshot.ts';
import { isTemporary } from '../seeing/snapshot-parts.ts';
import { doubles, past, unreadable } from './bad-jobs.ts';
import { badModes, basics, hindrance, missingRooms, strangers } from './basics.ts';
import { modifiedMs, STALE_MS } from './stale.ts';

/** `seen`: the queue as it was just seen. Throws `not-a-queue`. Changes nothing. */
export async function findDisorder(
  machine: Machine,
  queue: string,
  decoder?: Decoder | undefined,
  seen?: QueueSnapshot | undefined,
): Promise<readonly Finding[]> {
  let snapshot: QueueSnapshot;
  try {
    snapshot = seen ?? (await takeSnapshot(machine, queue, { decoder }));
  } catch (error) {
    const hindered = await hindrance(machine, queue, error);
    const modes = await badModes(machine, { queue, unreadable: [] });
    // A mode that keeps us out is told with what to do about it.
    const explained = hindered.kind === 'no-access' && modes.length > 0;
    return explained ? modes : [...modes, hindered];
  }
  return disorderOf(machine, snapshot);
}

async function disorderOf(machine: Machine, snapshot: QueueSnapshot): Promise<Finding[]> {
  const { queue } = snapshot;
  return [
    ...(await basics(machine, snapshot)),
    ...(await strangers(machine, snapshot)),
    ...(await missingRooms(machine, snapshot)),
    ...(await badModes(machine, snapshot)),
    ...damagedFiles(snapshot),
    ...deadWorkers(snapshot),
    ...(await strayJobs(machine, queue)),
    ...(await unreadable(machine, snapshot)),
    ...(await doubles(machine, snapshot)),
    ...past(snapshot),
    ...(await staleTemporaries(machine, queue)),
  ];
}

function damagedFiles({ queue, damage }: QueueSnapshot): Finding[] {
  return damage.map((sentence) => {
    // The queue's own path may have a colon in it; the names of its files have none.
    const split = sentence.startsWith(queue) ? sentence.indexOf(': ', queue.length) : sentence.indexOf(': ');
    const path = sentence.slice(0, Math.max(split, 0)) || queue;
    const advice =
      path === nextSequencePath(queue)
        ? 'write the number of the job that is next: fspl queue-set-next -q DIR NUMBER'
        : path.startsWith(room(queue, 'lanes'))
          ? 'when nothing works the queue, write the number of the job that is next in that lane: echo NUMBER > PATH'
          : 'correct it, or remove it: without it jobs run in the order of their numbers';
    return { kind: 'damaged-file', path, message: sentence.slice(split + 2), remedy: 'person', advice };
  });
}

function deadWorkers({ queue, workers }: QueueSnapshot): Finding[] {
  return workers
    .filter(({ life }) => life === 'dead' || life === 'silent')
    .map(({ name, life, jobs }) => ({
      kind: 'dead-worker',
      path: join(room(queue, 'work'), name),
      message: `this worker is ${life}${jobs === 0 ? '' : `, and has ${counted(jobs, 'job')}`}`,
      remedy: 'bring-back',
      severity: 'note',
    }));
}

async function strayJobs(machine: Machine, queue: string): Promise<Finding[]> {
  const entries = await entriesOf(machine, room(queue, 'work'));
  return entries
    .filter(({ name, kind }) => isJobName(name) && kind === 'file')
    .map(({ name }) => ({
      kind: 'stray-job',
      path: join(room(queue, 'work'), name),
      message: 'it is a job that no worker has',
      remedy: 'to-jobs',
    }));
}

async function staleTemporaries(machine: Machine, queue: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const before = toMs(machine.clock.now()) - STALE_MS;
  for (const directory of [queue, jobsDirectory(queue), ...ROOMS.map((name) => room(queue, name))]) {
    for (const { name, kind } of await entriesOf(machine, directory)) {
      if (kind !== 'file' || !isTemporary(name)) continue;
      const path = join(directory, name);
      const age = await modifiedMs(machine, path);
      if (age === undefined || age >= before) continue;
      findings.push({
        kind: 'temporary',
        path,
        message: 'it is a temporary file that nobody writes any more',
        remedy: 'remove',
        severity: 'note',
      });
    }
  }
  return findings;
}

/** The order of a queue, as far as it can be known. */
export async function orderOf(machine: Machine, queue: string): Promise<'free' | 'sequence'> {
  try {
    return (await readSettings(machine, queue)).order;
  } catch {
    return 'sequence'; // damaged: that is a finding of its own
  }
}
