/**
 * What must be true of a queue once all faults are over: it can be read, it drains, what is missing has a reason
 * that is allowed, it takes and runs a new job, and a second recovery finds nothing left to do.
 */

import type { Machine } from '../src/os/ports.ts';
import type { History, Payload } from './history.ts';
import type { AddWay, Layout, Manner, Observer } from './layouts/layout.ts';

/** More gaps than this cannot have been made by anybody. */
const GAPS_LIMIT = 20;

const RECOVERY: Manner = { concurrency: 2, leaseMs: 1000, keepsWaiting: false, isPatient: true };

export function observerOf(history: History): Observer {
  return {
    now: () => history.version,
    claimed: (job, since) => history.claimed(job, since),
    started: (place, payload) => history.runStarted(place, payload),
    ended: (run, succeeded) => history.runEnded(run, succeeded),
    givenUp: (job) => history.givenUp(job),
    finished: (job) => history.finished(job),
    broken: (promise, message) => history.broken(promise, message),
  };
}

/** An add as its caller sees it. Resolves whether it was accepted. */
export async function addAndTell(
  layout: Layout,
  machine: Machine,
  history: History,
  payload: Payload,
  way: AddWay = 'own',
): Promise<boolean> {
  history.addBegins(payload, layout.laneOf(payload), way !== 'crash-safe', layout.isVain?.(payload));
  try {
    history.addReturned(payload, await layout.add(machine, payload, way));
    return true;
  } catch (error) {
    history.addFailed(payload, layout.mayHaveAdded(error) ? 'doubtful' : 'rejected');
    return false;
  }
}

/** The same for many at once. */
export async function addAllAndTell(
  layout: Layout,
  machine: Machine,
  history: History,
  payloads: readonly Payload[],
): Promise<void> {
  for (const payload of payloads) {
    history.addBegins(payload, layout.laneOf(payload), true, layout.isVain?.(payload));
  }
  try {
    const places = (await layout.addAll?.(machine, payloads)) ?? [];
    for (const [at, payload] of payloads.entries()) history.addReturned(payload, places[at] as bigint);
  } catch (error) {
    const fate = layout.mayHaveAdded(error) ? 'doubtful' : 'rejected';
    for (const payload of payloads) history.addFailed(payload, fate);
  }
}

/** Brings the queue to its end on a machine without faults, and notes in the history what was broken. */
export async function recoverAndCheck(layout: Layout, machine: Machine, history: History): Promise<void> {
  try {
    if (!(await isThere(layout, machine, history))) return;
    await layout.resume?.(machine);
    for (const complaint of await layout.unreadable(machine)) history.broken('whole', complaint);
    await drain(layout, machine, history);
    if (history.violations.length > 0) return;
    history.drained();
    await addAgain(layout, machine, history);
    if (history.violations.length > 0) return;
    const probe = `probe ${history.jobs}: added when all was over!`;
    if (!(await addAndTell(layout, machine, history, probe))) {
      history.broken('healed', 'a new job was not accepted');
    }
    await drain(layout, machine, history);
    if (history.violations.length > 0) return;
    history.drained();
    const { runs } = history;
    await drain(layout, machine, history);
    if (history.runs !== runs) history.broken('once', 'a second recovery ran something again');
  } catch (error) {
    history.broken('healed', `recovery failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What was accepted under a name is over by now, and is not added once more. */
async function addAgain(layout: Layout, machine: Machine, history: History): Promise<void> {
  for (const payload of history.accepted) {
    if (layout.isNamed?.(payload) !== true) continue;
    const { runs } = history;
    await layout.add(machine, payload, 'own');
    await drain(layout, machine, history);
    if (history.runs !== runs) history.broken('once', `${payload} runs again, for it was added again`);
  }
}

/** What an `ls -l` of the queue looks at. */
export async function lookAround({ files }: Machine, layout: Layout): Promise<void> {
  for (const path of layout.fixedNames) {
    try {
      await files.stat(path);
    } catch {
      // Its absence was what there was to see.
    }
  }
  for (const path of [layout.arrivals, ...(layout.listed ?? [])]) {
    try {
      await files.readdir(path);
    } catch {
      // There is no queue yet.
    }
  }
}

/**
 * A queue whose creation was broken off may be whole, or not there. What is there instead may be in the way of a second
 * creation, which then says so; but nobody takes it for a queue.
 */
async function isThere(layout: Layout, machine: Machine, history: History): Promise<boolean> {
  if (await layout.exists(machine)) return true;
  if (history.created) {
    history.broken('created', 'its creation was reported, and there is no queue');
    return false;
  }
  try {
    await layout.create(machine);
  } catch {
    if (await layout.exists(machine)) history.broken('created', 'a creation failed and left a queue');
    return false;
  }
  return true;
}

async function drain(layout: Layout, machine: Machine, history: History): Promise<void> {
  for (let gaps = 0; gaps <= GAPS_LIMIT && history.violations.length === 0; gaps++) {
    const end = await layout.work(machine, {
      kind: 'function',
      observer: observerOf(history),
      manner: RECOVERY,
    });
    if (end.kind === 'empty') {
      history.foundPutAway((await layout.putAway?.(machine)) ?? [], layout.givesUp === true);
      return;
    }
    if (end.kind === 'failed') return history.broken('healed', 'a job that cannot fail has failed');
    history.waitsFor(end.lane, end.missing);
    await layout.skipTo(machine, end.lane, end.next);
  }
}
