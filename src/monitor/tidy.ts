/** Moving what is not where it belongs, and saying what is in the way. */

import { reasonOf } from '../queue/errors.ts';
import type { Place } from '../uow/config.ts';
import { moveFile, shortened } from '../uow/move.ts';
import { isPrepared } from '../uow/prepare.ts';
import { join } from '../uow/root.ts';
import { placeOf } from '../uow/run.ts';
import { statusKind } from '../uow/status.ts';
import type { Survey } from '../uow/survey.ts';
import type { Unit } from '../uow/text.ts';
import { NAME_LIMIT_BYTES } from '../uow/unit-files.ts';
import type { MonitorState } from './state.ts';

/** Returns how many files are elsewhere than they were. */
export async function tidy(state: MonitorState, survey: Survey): Promise<number> {
  const { says, root, jobs } = state;
  let moved = 0;
  for (const { place, name, reason } of survey.rubbish) moved += await toTrash(state, place, name, reason);
  for (const { place, name, reason } of survey.troubles) {
    await says.complain(`${join(root.places[place], name)}: ${reason}`);
  }
  for (const { name, reason } of survey.restless) {
    if (reason.startsWith('an editor')) await says.complain(`${name}: it waits, for ${reason}`);
  }
  for (const { name, seen } of survey.current) {
    if (jobs.names.includes(name)) continue;
    if (seen.kind === 'invalid') moved += await toTrash(state, 'currently-executing', name, seen.reason);
    if (seen.kind === 'unit') moved += await putRight(state, name, seen.unit);
    if (seen.kind === 'unreadable') await says.complain(`${name}: it cannot be read: ${seen.reason}`);
  }
  return moved;
}

export async function toTrash(
  state: MonitorState,
  place: Place,
  name: string,
  reason: string,
): Promise<number> {
  const { machine, root, says } = state;
  return guarded(state, name, async () => {
    const from = { directory: root.places[place], name };
    const path = await moveFile(machine, from, root.places.trash, shortened(name, NAME_LIMIT_BYTES));
    if (path === undefined) return 0;
    await says.say(`${name}: ${reason}; it is in ${path}`);
    return 1;
  });
}

/** What was put into currently-executing by hand goes where it belongs; what was claimed and not begun is begun. */
async function putRight(state: MonitorState, name: string, unit: Unit): Promise<number> {
  const { machine, root, says } = state;
  const kind = statusKind(unit.status);
  if (kind === 'waiting' && isPrepared(unit)) return 0;
  const target = kind === 'waiting' ? 'priority-q' : placeOf(kind === 'running' ? 'fail' : kind);
  return guarded(state, name, async () => {
    const from = { directory: root.places['currently-executing'], name };
    const path = await moveFile(machine, from, root.places[target]);
    if (path === undefined) return 0;
    await says.say(`${name}: somebody put it into currently-executing; it is in ${path} now`);
    return 1;
  });
}

/** What fails for one unit is said, and does not keep the others from running. How many files `action` has changed. */
export async function guarded(
  { says }: MonitorState,
  name: string,
  action: () => Promise<number>,
): Promise<number> {
  try {
    return await action();
  } catch (error) {
    await says.complain(`${name}: ${reasonOf(error)}`);
    return 0;
  }
}
