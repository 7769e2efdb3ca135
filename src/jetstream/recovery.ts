/** Jobs of dead workers, and what crashes have left. */

import { formatMs } from '../os/calendar.ts';
import type { RunRecord } from '../queue/snapshot.ts';
import type { Log } from './log.ts';
import type { Entry, SeenBeat } from './picture.ts';
import { withRun } from './runs.ts';
import type { Worker } from './worker.ts';

export function isSilent({ beatMs, leaseMs }: SeenBeat, serverMs: number): boolean {
  return serverMs > beatMs + leaseMs;
}

/** To be asked when all of the log has been read. Returns how many jobs wait again. */
export async function bringBack(log: Log, own: Worker): Promise<number> {
  const { picture } = log;
  let count = 0;
  for (const entry of [...picture.entries.values()]) {
    const { place, worker } = entry.state;
    if (place !== 'running' || worker === undefined || worker === own.name) continue;
    const beat = picture.workers.get(worker);
    if (beat !== undefined && !isSilent(beat, own.serverMs())) continue;
    if (await giveBack(log, entry, own.serverMs())) count += 1;
  }
  for (const [name, beat] of [...picture.workers]) {
    if (name === own.name || !isSilent(beat, own.serverMs())) continue;
    // That message and no later one: should it live after all, it is known again when it says so.
    await log.wire.remove([beat.seq]);
    picture.workers.delete(name);
  }
  return count;
}

/**
 * Claims of ours that we do not know of: nobody answered when we made them, and they were made. They wait again as if they
 * had not been. To be asked while none is being made.
 */
export async function putBackStrays(log: Log, own: Worker, isInHand: (id: string) => boolean): Promise<void> {
  for (const entry of [...log.picture.entries.values()]) {
    const { state, generation } = entry;
    if (state.place !== 'running' || state.worker !== own.name || isInHand(entry.id)) continue;
    await log.change(entry, generation, state, { place: 'waiting', attempts: state.attempts - 1 });
  }
}

/** The job of a worker that is known to be dead waits again; false when somebody else has seen to it. */
export async function giveBack(log: Log, entry: Entry, atMs: number): Promise<boolean> {
  const { state, generation } = entry;
  const { worker = '', sinceMs } = state;
  const run: RunRecord = {
    attempt: state.attempts,
    outcome: 'died',
    worker,
    ...(sinceMs === undefined ? {} : { started: formatMs(sinceMs) }),
    ended: formatMs(atMs),
  };
  const runs = withRun(state.runs, run);
  return log.change(entry, generation, state, { place: 'waiting', deaths: state.deaths + 1, runs });
}

/** What was over, or of jobs that are gone, when we began to read: whoever ended it should have removed it, and has not. */
export async function buryOld(log: Log): Promise<void> {
  const { over, orphans } = log.picture;
  for (const entry of [...over.values()]) await log.bury(entry);
  for (const [id, seqs] of [...orphans]) {
    await log.wire.remove(seqs);
    orphans.delete(id);
  }
}
