/**
 * What must be true of a queue once all faults are over: it can be read, it drains, what is missing has a reason
 * that is allowed, it takes and runs a new job, and a second recovery finds nothing left to do.
 */

import type { Machine } from '../src/os/ports.ts';
import type { History, Payload } from './history.ts';
import type { Layout, Observer } from './layouts/layout.ts';

/** More gaps than this cannot have been made by anybody. */
const GAPS_LIMIT = 20;

export function observerOf(history: History): Observer {
  return {
    started: (place, payload) => history.runStarted(place, payload),
    ended: (run, succeeded) => history.runEnded(run, succeeded),
    finished: (place) => history.finished(place),
  };
}

/** An add as its caller sees it. Resolves whether it was accepted. */
export async function addAndTell(
  layout: Layout,
  machine: Machine,
  history: History,
  payload: Payload,
  fromElsewhere = false,
): Promise<boolean> {
  history.addBegins(payload);
  try {
    history.addReturned(payload, await layout.add(machine, payload, fromElsewhere));
    return true;
  } catch (error) {
    history.addFailed(payload, layout.mayHaveAdded(error) ? 'doubtful' : 'rejected');
    return false;
  }
}

/** Brings the queue to its end on a machine without faults, and notes in the history what was broken. */
export async function recoverAndCheck(layout: Layout, machine: Machine, history: History): Promise<void> {
  try {
    for (const complaint of await layout.unreadable(machine)) history.broken('whole', complaint);
    await drain(layout, machine, history);
    if (history.violations.length > 0) return;
    history.drained();
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

async function drain(layout: Layout, machine: Machine, history: History): Promise<void> {
  for (let gaps = 0; gaps <= GAPS_LIMIT && history.violations.length === 0; gaps++) {
    const end = await layout.work(machine, { kind: 'function', observer: observerOf(history) });
    if (end.kind === 'empty') return;
    if (end.kind === 'failed') return history.broken('healed', 'a job that cannot fail has failed');
    history.waitsFor(end.missing);
    await layout.skipTo(machine, end.next);
  }
}
