/** Getting units that wait ready, and starting their jobs. Both return how many files are others than they were. */

import { isPrepared, prepareUnit } from '../uow/prepare.ts';
import { claimUnit } from '../uow/run.ts';
import type { Survey, Waiting } from '../uow/survey.ts';
import type { Stamp, Unit } from '../uow/text.ts';
import { launchOf } from './launch.ts';
import type { MonitorState } from './state.ts';
import { guarded, toTrash } from './tidy.ts';

/** So many in one turn: each takes some milliseconds, and what is ready is not to wait for thousands that are not. */
const AT_ONCE = 50;

/** Gives them timestamps, in the order of the times of their files, and room for a status. */
export async function prepareAll(
  state: MonitorState,
  { waiting }: Survey,
  nextStamp: () => Stamp,
): Promise<number> {
  const { machine, root, says, jobs } = state;
  const ours = jobs.inodes;
  const raw = waiting.filter(({ seen }) => !isPrepared(seen.unit) && !ours.has(seen.file.inode));
  let changed = 0;
  for (const { place, name, seen } of raw.sort(byFileTime).slice(0, AT_ONCE)) {
    changed += await guarded(state, name, async () => {
      const where = { directory: root.places[place], trash: root.places.trash };
      const stamp = seen.unit.stamp ?? nextStamp();
      const prepared = await prepareUnit(machine, where, name, seen, stamp);
      if (prepared === 'superseded') {
        const what = 'it was saved again while it got its timestamp; the older one is in the trash';
        await says.say(`${name}: ${what}`);
      }
      return prepared === 'prepared' ? 1 : 0;
    });
  }
  return changed;
}

function byFileTime(a: Waiting, b: Waiting): number {
  if (a.place !== b.place) return a.place === 'priority-q' ? -1 : 1;
  return a.seen.file.modifiedMs - b.seen.file.modifiedMs || (a.name < b.name ? -1 : 1);
}

/** As many as may run at once: those that were claimed and not begun first. */
export async function startAll(state: MonitorState, { waiting, current }: Survey): Promise<number> {
  const { config, says, jobs, machine, root } = state;
  let changed = 0;
  if (config.current.jobs.size === 0) {
    if (waiting.length > 0) await says.complain('no job type is configured, so nothing can be run');
    return 0;
  }
  for (const { name, seen } of current) {
    if (jobs.names.includes(name) || seen.kind !== 'unit' || !isPrepared(seen.unit)) continue;
    if (isFull(state)) return changed;
    changed += await startClaimed(state, name, seen.unit);
  }
  for (const { place, name, seen } of waiting) {
    if (!isPrepared(seen.unit)) continue;
    const launch = launchOf(config.current, seen.unit);
    if ('invalid' in launch) {
      changed += await toTrash(state, place, name, launch.invalid);
      continue;
    }
    if (isFull(state)) continue;
    changed += await guarded(state, name, async () => {
      const claimed = await claimUnit(machine, root, { directory: root.places[place], name });
      return claimed === undefined ? 0 : startClaimed(state, claimed, seen.unit);
    });
  }
  return changed;
}

function isFull({ jobs, config }: MonitorState): boolean {
  return jobs.names.length >= config.current.jobsAtOnce;
}

async function startClaimed(state: MonitorState, name: string, unit: Unit): Promise<number> {
  const { jobs, says, config } = state;
  const launch = launchOf(config.current, unit);
  if ('invalid' in launch) {
    return toTrash(state, 'currently-executing', name, launch.invalid);
  }
  return guarded(state, name, async () => {
    if (!(await jobs.start(name, launch))) return 0;
    await says.say(`${name}: started (${launch.type.name})`);
    return 1;
  });
}
