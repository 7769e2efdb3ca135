/**
 * What is not in order in a queue, and what nobody needs any more.
 *
 * | finding        | what it is                                                   | remedy                           |
 * |----------------|--------------------------------------------------------------|----------------------------------|
 * | `damaged`      | a control file that cannot be read, or has no data           | `set-aside` into intray/failed/  |
 * | `dead-worker`  | a worker of ours that has died with jobs in its hands        | `bring-back`, as any worker does |
 * | `temporary`    | in tmp/, or of an add under a name that another one got, and | `remove`                         |
 * |                | nobody has written to it for a day                           |                                  |
 * | `data`         | a data file that belongs to no job, a day old                | `remove`                         |
 * | `lock`         | of a job that is not there; its owner is not known to live   | `remove`                         |
 */

import { toMs } from '../os/calendar.ts';
import { closeQuietly } from '../os/close-quietly.ts';
import type { Machine } from '../os/ports.ts';
import type { Finding, Garbage, GcOptions, Operated, Repaired } from '../queue/keeper.ts';
import { DataFiles, dataPath, placeIn } from './data-file.ts';
import { entriesOf, ifThere, isJobName, join, ownRoom, room, storedRooms, unlinkIfThere } from './layout.ts';
import { DEFAULT_LOCK_LIFETIME_MS, listLocks } from './locks.ts';
import { listControls, parseLaterName } from './look.ts';
import { forgetNames, namedAt, nameless } from './names-upkeep.ts';
import { bringBackTheDead } from './recovery.ts';
import { fileAt, filesIn, type SeenFile } from './seen-files.ts';
import { seeWorkers } from './snapshot.ts';
import { readControl } from './take.ts';
import { DEFAULT_LEASE_MS, enterQueue } from './worker-file.ts';

const DAY_MS = 86_400_000;

export async function findDisorder(machine: Machine, queue: string): Promise<Finding[]> {
  const nowMs = toMs(machine.clock.now());
  const { damaged, known } = await lookAtControls(machine, queue);
  const locks = await listLocks(machine, queue);
  const workers = await seeWorkers(machine, queue, locks);
  const findings: Finding[] = damaged;
  for (const { name, life, jobs } of workers.values()) {
    if (life !== 'dead' || jobs === 0 || !locks.some(({ worker }) => worker === name)) continue;
    const path = join(ownRoom(queue, 'workers'), name);
    const message = 'its worker is dead';
    findings.push({ kind: 'dead-worker', path, message, remedy: 'bring-back', severity: 'note' });
  }
  for (const { id, worker, modifiedMs } of locks) {
    const isOld = nowMs - modifiedMs > DEFAULT_LOCK_LIFETIME_MS;
    if (known.ids.has(id) || worker !== undefined || !isOld) continue;
    const path = join(room(queue, 'active'), id);
    findings.push({
      kind: 'lock',
      path,
      message: 'its job is not there',
      remedy: 'remove',
      severity: 'note',
    });
  }
  const isOld = ({ changedMs }: SeenFile) => nowMs - changedMs > DAY_MS;
  const unfinished = [...(await filesIn(machine, room(queue, 'tmp'))), ...(await nameless(machine, queue))];
  for (const { path } of unfinished.filter(isOld)) {
    const message = 'it was never finished';
    findings.push({ kind: 'temporary', path, message, remedy: 'remove', severity: 'note' });
  }
  for (const { path } of (await dataFiles(machine, queue)).filter(isOld)) {
    if (known.data.has(path)) continue;
    findings.push({
      kind: 'data',
      path,
      message: 'it belongs to no job',
      remedy: 'remove',
      severity: 'note',
    });
  }
  return findings;
}

type Known = { readonly ids: ReadonlySet<string>; readonly data: ReadonlySet<string> };

/** Every control file there is, wherever it is. */
async function lookAtControls(
  machine: Machine,
  queue: string,
): Promise<{ readonly damaged: Finding[]; readonly known: Known }> {
  const damaged: Finding[] = [];
  const ids = new Set<string>();
  const data = new Set<string>();
  const files = new DataFiles(machine, queue);
  const controls = [...(await listControls(machine, queue)).values()];
  const inQueue = new Set(controls.map(({ path }) => path));
  for (const place of [...storedRooms, 'adding'] as const) {
    for (const { name } of await entriesOf(machine, ownRoom(queue, place))) {
      if (!isJobName(name)) continue;
      const id = place === 'later' ? (parseLaterName(name)?.id ?? name) : name;
      controls.push({ id, path: join(ownRoom(queue, place), name) });
    }
  }
  for (const { id, path } of controls) {
    ids.add(id);
    const control = await readControl(machine, path);
    if (control === undefined) continue;
    const place = 'damage' in control ? undefined : placeIn(control.dataFile);
    if (place !== undefined) data.add(dataPath(queue, place));
    if (!inQueue.has(path)) continue;
    const opened = 'damage' in control ? undefined : await files.open(control);
    if (opened?.kind === 'data') await closeQuietly(machine.files, opened.data);
    else {
      const message = 'damage' in control ? control.damage : (opened?.message ?? '');
      damaged.push({ kind: 'damaged', path, message, remedy: 'set-aside' });
    }
  }
  return { damaged, known: { ids, data } };
}

export async function repairAll(
  machine: Machine,
  queue: string,
  findings: readonly Finding[],
  withJob: (
    job: { readonly id: string; readonly name: string; readonly path: string },
    act: () => Promise<Operated>,
  ) => Promise<Operated>,
): Promise<Repaired[]> {
  const repaired: Repaired[] = [];
  for (const finding of findings) {
    const { path, remedy } = finding;
    const name = path.slice(path.lastIndexOf('/') + 1);
    let isDone = false;
    if (remedy === 'remove') isDone = await unlinkIfThere(machine, path);
    else if (remedy === 'bring-back') isDone = (await bringBack(machine, queue)) > 0;
    else if (remedy === 'set-aside') {
      const to = join(ownRoom(queue, 'failed'), name);
      const { kind } = await withJob({ id: name, name, path }, async () => {
        const moved = await ifThere(async () => {
          await machine.files.rename(path, to);
          return true;
        }, false);
        return moved ? { kind: 'done', lane: 'none' } : { kind: 'gone' };
      });
      isDone = kind === 'done';
    } else {
      repaired.push({ finding, result: 'left' });
      continue;
    }
    repaired.push({ finding, result: isDone ? 'done' : 'not-needed' });
  }
  return repaired;
}

async function bringBack(machine: Machine, queue: string): Promise<number> {
  const own = await enterQueue(machine, queue, DEFAULT_LEASE_MS);
  try {
    return await bringBackTheDead(machine, queue, { own, lifetimeMs: DEFAULT_LOCK_LIFETIME_MS });
  } finally {
    await own.leave({ locksAreLeft: false });
  }
}

/** Jobs that are done beyond the newest so many, logs of jobs that are nowhere any more, and names of such. */
export async function findGarbage(
  machine: Machine,
  queue: string,
  { keepDone, olderThanMs }: GcOptions,
): Promise<Garbage[]> {
  const before = toMs(machine.clock.now()) - olderThanMs;
  const done = (await filesIn(machine, ownRoom(queue, 'done'))).sort((a, b) => b.changedMs - a.changedMs);
  const goes = done.slice(keepDone);
  const { known } = await lookAtControls(machine, queue);
  const over = new Set(goes.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)));
  const garbage: Garbage[] = goes.map((file) => ({ kind: 'done', ...file }));
  for (const { path } of goes) {
    const control = await readControl(machine, path);
    const place = control === undefined || 'damage' in control ? undefined : placeIn(control.dataFile);
    if (place === undefined) continue;
    const data = await fileAt(machine, dataPath(queue, place));
    if (data !== undefined) garbage.push({ kind: 'done', ...data });
  }
  for (const file of await filesIn(machine, ownRoom(queue, 'log'))) {
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    const id = /^(.*?)(?:\.jsonl|\.\d+\.(?:out|err)(?:\.temp)?)$/s.exec(name)?.[1];
    if (id === undefined || (known.ids.has(id) && !over.has(id))) continue;
    if (over.has(id) || file.changedMs < before) garbage.push({ kind: 'log', ...file });
  }
  for (const file of await filesIn(machine, ownRoom(queue, 'names'))) {
    if (file.changedMs >= before) continue;
    const id = await namedAt(machine, file.path);
    if (id !== undefined && (!known.ids.has(id) || over.has(id))) garbage.push({ kind: 'receipt', ...file });
  }
  return garbage;
}

export async function removeGarbage(
  machine: Machine,
  queue: string,
  garbage: readonly Garbage[],
): Promise<Garbage[]> {
  const removed: Garbage[] = [];
  const [names, others] = [true, false].map((of) =>
    garbage.filter(({ kind }) => (kind === 'receipt') === of),
  );
  for (const one of others ?? []) if (await unlinkIfThere(machine, one.path)) removed.push(one);
  for (const one of await forgetNames(machine, queue, names ?? [])) removed.push(one);
  return removed;
}

async function dataFiles(machine: Machine, queue: string): Promise<SeenFile[]> {
  const top = room(queue, 'data');
  const found: SeenFile[] = [];
  for (const x of await entriesOf(machine, top)) {
    if (x.kind !== 'directory') continue;
    for (const y of await entriesOf(machine, join(top, x.name))) {
      if (y.kind === 'directory') found.push(...(await filesIn(machine, `${top}/${x.name}/${y.name}`)));
    }
  }
  return found;
}
