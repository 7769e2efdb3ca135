/** Queues with parallel workers, for tests: made, looked into, and worked by hand. */

import { readdirSync, readFileSync } from 'node:fs';
import type { Machine } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { JoinOptions, Queue, SharedClaim, SharedIdle, SharedSession } from '../../src/queue/contract.ts';
import { makeRooms, type Order, type Room, writeSettings } from '../../src/spool/home/rooms.ts';
import { createSpool, openSpool } from '../../src/spool/spool.ts';

/** A new queue that can be worked by many. */
export async function homeQueue(path: string, order: Order = 'free'): Promise<Queue> {
  const queue = await createSpool(realMachine, path);
  await makeRooms(realMachine, path);
  if (order === 'free') await writeSettings(realMachine, path, { order });
  return queue;
}

/** Works with a session, and closes it whatever happens. */
export async function joined<T>(
  { location }: Queue,
  work: (session: SharedSession) => Promise<T>,
  { machine = realMachine, ...options }: JoinOptions & { readonly machine?: Machine } = {},
): Promise<T> {
  const session = await (await openSpool(machine, location)).join(options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export async function claimed(session: SharedSession): Promise<SharedClaim> {
  const claim = await session.claim();
  if (claim.kind !== 'claim') throw new Error(`nothing to claim: ${JSON.stringify(claim, withBigints)}`);
  return claim;
}

export async function idle(session: SharedSession): Promise<SharedIdle> {
  const answer = await session.claim();
  if (answer.kind === 'claim') throw new Error(`a claim: ${answer.job.path}`);
  return answer;
}

/** The job's number and lane. */
export function told({ job, env }: SharedClaim): string {
  return `${new Map(env).get('INTRAY_LANE') ?? ''}${job.seq}`;
}

/** The first of its params, by which a test knows a job. */
export function param({ job }: Pick<SharedClaim, 'job'>): string {
  return job.work.kind === 'command' ? (job.work.params[0] ?? '') : job.work.kind;
}

/** Lets all that may run succeed, one after the other; which they were. */
export async function drain(
  session: SharedSession,
  name: (claim: SharedClaim) => string = param,
): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const answer = await session.claim();
    if (answer.kind !== 'claim') return names;
    names.push(name(answer));
    await answer.succeed();
  }
}

export function namesIn(queue: Queue, room: Room | 'jobs'): string[] {
  return readdirSync(`${queue.location}/${room}`).sort();
}

/** Files in the rooms of all workers, `worker` left out. */
export function runningIn(queue: Queue): string[] {
  return namesIn(queue, 'work').flatMap((worker) =>
    readdirSync(`${queue.location}/work/${worker}`).filter((name) => name !== 'worker'),
  );
}

/** What is said of each run of a job. */
export function runsOf(queue: Queue, stem: string): Record<string, unknown>[] {
  const text = readFileSync(`${queue.location}/log/${stem}.jsonl`, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function withBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
