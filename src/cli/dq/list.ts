import { openDirQueue } from '../../dirqueue/dirqueue.ts';
import { byService } from '../../dirqueue/job-id.ts';
import { entriesOf, isJobName, lockPath, room } from '../../dirqueue/layout.ts';
import { type LockOwner, readLockOwner } from '../../dirqueue/locks.ts';
import { listControls } from '../../dirqueue/look.ts';
import { readControl } from '../../dirqueue/take.ts';
import { formatCtime, formatUtc } from '../../os/calendar.ts';
import type { Machine, Timestamp } from '../../os/ports.ts';
import type { Context } from '../context.ts';
import { printJson } from '../json.ts';
import type { Given } from './options.ts';

type Listed = {
  readonly id: string;
  /** What runs: by whom, `dead` when nobody can be. */
  readonly owner: LockOwner | 'dead' | undefined;
  readonly size: number | undefined;
  readonly submitted: Timestamp | undefined;
  readonly host: string | undefined;
  readonly damage: string | undefined;
};

export async function list(context: Context, { values, flags }: Given): Promise<number> {
  const { machine } = context;
  const { location } = await openDirQueue(machine, values.get('dir')?.[0] ?? '');
  const controls = await listControls(machine, location);
  const locked = (await entriesOf(machine, room(location, 'active')))
    .map(({ name }) => name)
    .filter(isJobName);
  const running = new Set(locked.filter((id) => controls.has(id)));
  const counts = { active: running.size, queued: controls.size - running.size };
  if (flags.has('count')) {
    if (flags.has('json')) await printJson(context, counts);
    else await context.print(header(counts));
    return 0;
  }
  const jobs: Listed[] = [];
  for (const id of [...controls.keys()].sort(byService)) {
    const path = controls.get(id)?.path ?? '';
    const job = await look(machine, location, { id, path }, running.has(id));
    if (job !== undefined) jobs.push(job);
  }
  if (flags.has('json')) await printJson(context, { ...counts, jobs: jobs.map(toJson) });
  else await context.print(header(counts) + sections(machine, jobs));
  return 0;
}

async function look(
  machine: Machine,
  queue: string,
  { id, path }: { readonly id: string; readonly path: string },
  isRunning: boolean,
): Promise<Listed | undefined> {
  const control = await readControl(machine, path);
  if (control === undefined) return undefined; // over since the listing
  const owner = isRunning ? await ownerOf(machine, lockPath(queue, id)) : undefined;
  if ('damage' in control) {
    return { id, owner, size: undefined, submitted: undefined, host: undefined, damage: control.damage };
  }
  const { size, submitted, host } = control;
  return { id, owner, size, submitted, host, damage: undefined };
}

async function ownerOf(machine: Machine, path: string): Promise<LockOwner | 'dead'> {
  const owner = await readLockOwner(machine, path);
  if (owner === undefined) return 'dead';
  const isHere = owner.host === machine.host.name;
  return isHere && !(await machine.processes.exists(owner.pid)) ? 'dead' : owner;
}

function header({ active, queued }: { readonly active: number; readonly queued: number }): string {
  return `Jobs: active: ${active}  queued: ${queued}\n`;
}

function sections(machine: Machine, jobs: readonly Listed[]): string {
  const active = jobs.filter(({ owner }) => owner !== undefined);
  const queued = jobs.filter(({ owner }) => owner === undefined);
  const activeLines = active.map(
    (job, at) => `- ACTIVE ${at + 1}: ${ownerText(job.owner)}\n${jobText(machine, job, at + 1)}`,
  );
  const queuedLines = queued.map((job, at) => jobText(machine, job, at + 1));
  return `active:\n${activeLines.join('')}queued:\n${queuedLines.join('')}`;
}

function ownerText(owner: Listed['owner']): string {
  return owner === undefined || owner === 'dead' ? '(dead lockfile)' : `(pid: ${owner.pid}@${owner.host})`;
}

function jobText({ clock }: Machine, { id, size, submitted, host, damage }: Listed, number: number): string {
  if (damage !== undefined) return `- ${number}: ${id} (damaged: ${damage})\n`;
  const time = submitted === undefined ? '?' : formatCtime(submitted, clock.utcOffsetSeconds(submitted));
  return `- ${number}: ${id} (${size} bytes)\n  Submitted: ${time} on ${host ?? '?'}\n`;
}

function toJson({ id, owner, size, submitted, host, damage }: Listed) {
  return {
    id,
    state: owner === undefined ? 'queued' : 'active',
    ...(owner === undefined ? {} : { worker: owner === 'dead' ? null : owner }),
    ...(damage === undefined ? { bytes: size } : { damage }),
    ...(submitted === undefined ? {} : { submitted: formatUtc(submitted) }),
    ...(host === undefined ? {} : { host }),
  };
}
