/** What is over and old: jobs that are done and kept, names of jobs that are over, payloads of no job. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { Garbage, GcOptions } from '../queue/keeper.ts';
import type { Link } from './link.ts';
import { Log } from './log.ts';
import type { Entry } from './picture.ts';

/** A payload is stored before its job is there: so long that may take. */
const PAYLOAD_AGE_MS = 24 * 3_600_000;

export function findGarbage(
  machine: Machine,
  link: Link,
  { keepDone, olderThanMs }: GcOptions,
): Promise<readonly Garbage[]> {
  return Log.look(machine, link, async ({ picture, place, wire }) => {
    const nowMs = toMs(machine.clock.now());
    const isOld = (changedMs: number, leastMs = 0) => nowMs - changedMs >= Math.max(olderThanMs, leastMs);
    const entries = [...picture.entries.values()];
    const inPlace = (name: string) => entries.filter(({ state }) => state.place === name);
    const stored = (kind: 'done' | 'failed') => (entry: Entry) => ({
      kind,
      path: `${place}/${entry.id}`,
      bytes: entry.bytes,
      changedMs: entry.changedMs,
    });
    const done = inPlace('done').sort((a, b) => b.changedMs - a.changedMs);
    const used = new Set(entries.map(({ job }) => job.payload?.name));
    return [
      ...done.slice(keepDone).map(stored('done')),
      ...inPlace('failed')
        .filter(({ changedMs }) => isOld(changedMs))
        .map(stored('failed')),
      ...[...picture.receipts]
        .filter(([, { storedMs }]) => isOld(storedMs))
        .map(([id, { storedMs }]) => ({
          kind: 'receipt' as const,
          path: `${place}/${id}`,
          bytes: 0,
          changedMs: storedMs,
        })),
      ...(await wire.payloads())
        .filter(({ name, storedMs }) => !used.has(name) && isOld(storedMs, PAYLOAD_AGE_MS))
        .map(({ name, size, storedMs }) => ({
          kind: 'temporary' as const,
          path: `${place}/${name}`,
          bytes: size,
          changedMs: storedMs,
        })),
    ];
  });
}

/** Returns what was still there. */
export function removeGarbage(
  machine: Machine,
  link: Link,
  garbage: readonly Garbage[],
): Promise<readonly Garbage[]> {
  return Log.look(machine, link, async (log) => {
    const removed: Garbage[] = [];
    for (const one of garbage) if (await removeOne(log, one)) removed.push(one);
    await log.tidied();
    return removed;
  });
}

async function removeOne(log: Log, { kind, path }: Garbage): Promise<boolean> {
  const id = path.slice(path.lastIndexOf('/') + 1);
  const { picture, wire } = log;
  if (kind === 'temporary') {
    await wire.removePayload(id);
    return true;
  }
  if (kind === 'receipt') {
    const receipt = picture.receipts.get(id);
    if (receipt === undefined) return false;
    await log.freeName(id, receipt);
    return true;
  }
  const entry = picture.entries.get(id);
  if (entry?.state.place !== kind) return false;
  if (!(await log.change(entry, entry.generation, entry.state, { place: 'over' }))) return false;
  await log.bury(entry);
  return true;
}
