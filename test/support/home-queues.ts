/** Queues with rooms for parallel workers, in states that take a while to come about by themselves. */

import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { NewJob, Queue, SharedClaim, SharedSession } from '../../src/queue/contract.ts';
import { pickJob } from '../../src/queue/find-job.ts';
import type { FoundJob } from '../../src/queue/snapshot.ts';
import { makeRooms, type Order, writeSettings } from '../../src/spool/home/rooms.ts';
import { takeSnapshot } from '../../src/spool/home/seeing/snapshot.ts';
import { everyJob } from '../../src/spool/home/seeing/snapshot-parts.ts';
import { createSpool } from '../../src/spool/spool.ts';

export async function homeQueue(path: string, order: Order = 'free'): Promise<Queue> {
  const queue = await createSpool(realMachine, path);
  await makeRooms(realMachine, path);
  await writeSettings(realMachine, path, { order });
  return queue;
}

/** Adds a job whose only param is its name; returns its stem. */
export async function addNamed(queue: Queue, param: string, job: NewJob = {}): Promise<string> {
  return (await queue.add({ params: [param], payload: `payload of ${param}`, ...job })).id;
}

export async function claimFrom(session: SharedSession): Promise<SharedClaim> {
  const claim = await session.claim();
  if (claim.kind !== 'claim') throw new Error(`nothing to claim: ${claim.reason}`);
  return claim;
}

/** The job of a queue that is meant by this, wherever it is. */
export async function findJob(path: string, text: string): Promise<FoundJob> {
  return pickJob(path, await everyJob(realMachine, await takeSnapshot(realMachine, path)), text);
}

/** Lets the next job fail for good. */
export async function failNext(
  queue: Queue,
  reason = 'exit code 7',
  blocked?: 'hold' | 'skip',
): Promise<string> {
  const session = await queue.join(blocked === undefined ? {} : { blocked: { action: blocked } });
  try {
    const claim = await claimFrom(session);
    const output = await claim.openOutput();
    await realMachine.files.write(output.stderr, new TextEncoder().encode('it went wrong\n'));
    await claim.fail(reason, { exit: { kind: 'exited', code: 7 } });
    return claim.job.id;
  } finally {
    await session.close();
  }
}

/** The room of a worker that took this job and died: on this machine, or silent on another one. */
export function deadWorker(path: string, jobFile: string, where: 'here' | 'elsewhere' = 'here'): string {
  const machine: Machine = realMachine;
  const name = where === 'here' ? `${machine.host.name}.999999.dead0000` : 'faraway.12.dead0000';
  const room = join(path, 'work', name);
  mkdirSync(room);
  const info = {
    host: where === 'here' ? machine.host.name : 'faraway',
    boot: where === 'here' ? machine.host.bootId : 'another boot',
    pid: where === 'here' ? 999_999 : 12,
    startedMs: 1_700_000_000_000,
    leaseMs: 60_000,
  };
  writeFileSync(join(room, 'worker'), `${JSON.stringify(info)}\n`);
  const started = jobFile.replace(/^(fspl-\d\d\.\d{13}\.h?\d+)\.\d+\./, '$1.1.');
  renameSync(join(path, 'jobs', jobFile), join(room, started));
  return name;
}

export function jobFiles(path: string, place = 'jobs'): string[] {
  return readdirSync(join(path, place))
    .filter((name) => name.endsWith('.fspl'))
    .sort();
}

export function fileOf(path: string, stem: string, place = 'jobs'): string {
  const found = jobFiles(path, place).find((name) => name.includes(stem));
  if (found === undefined)
    throw new Error(`${stem} is not in ${place}/: ${jobFiles(path, place).join(', ')}`);
  return found;
}
