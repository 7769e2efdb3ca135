/** What is not in order in a queue's log, and putting it right. */

import { toMs } from '../os/calendar.ts';
import type { Machine } from '../os/ports.ts';
import type { Finding, Repaired } from '../queue/keeper.ts';
import type { Link } from './link.ts';
import { Log } from './log.ts';
import type { Entry } from './picture.ts';
import { giveBack, isSilent } from './recovery.ts';

export function findDisorder(machine: Machine, link: Link): Promise<readonly Finding[]> {
  return Log.look(machine, link, (log) => [
    ...strangers(log),
    ...leftOver(log),
    ...abandoned(log, toMs(machine.clock.now())),
  ]);
}

function strangers({ picture, place }: Log): Finding[] {
  return [...picture.strangers.values()].map(({ subject, message }) => ({
    kind: 'unreadable',
    path: `${place}/${subject}`,
    message,
    remedy: 'person',
    advice: 'see who has put it there; `intray rm DIR FILE` removes it',
  }));
}

function leftOver({ picture, place }: Log): Finding[] {
  const ids = [...picture.over.keys(), ...picture.orphans.keys()];
  return ids.map((id) => ({
    kind: 'left-over',
    path: `${place}/${id}`,
    message: 'it is over, and messages of it are left',
    remedy: 'bury',
    words: ['remove them', 'removed'],
    severity: 'note',
  }));
}

function abandoned({ picture, place }: Log, nowMs: number): Finding[] {
  return [...picture.entries.values()].flatMap(({ id, state }) => {
    if (state.place !== 'running') return [];
    const beat = picture.workers.get(state.worker ?? '');
    if (beat !== undefined && !isSilent(beat, nowMs)) return [];
    return [
      {
        kind: 'dead-worker',
        path: `${place}/${id}`,
        message: 'its worker has not been heard of for longer than its lease',
        remedy: 'give-back',
        words: ['give it back', 'given back'] as const,
        severity: 'note' as const,
      },
    ];
  });
}

export async function repairOne(log: Log, finding: Finding): Promise<Repaired['result']> {
  const id = finding.path.slice(finding.path.lastIndexOf('/') + 1);
  const { entries, over, orphans } = log.picture;
  if (finding.remedy === 'bury') {
    const entry = over.get(id);
    const seqs = orphans.get(id);
    if (entry !== undefined) await log.bury(entry);
    else if (seqs !== undefined) await log.wire.remove(seqs);
    else return 'not-needed';
    orphans.delete(id);
    return 'done';
  }
  if (finding.remedy !== 'give-back') return 'left';
  const entry: Entry | undefined = entries.get(id);
  if (entry?.state.place !== 'running') return 'not-needed';
  const beat = log.picture.workers.get(entry.state.worker ?? '');
  return (await giveBack(log, entry, (beat?.beatMs ?? 0) + (beat?.leaseMs ?? 0))) ? 'done' : 'not-needed';
}
