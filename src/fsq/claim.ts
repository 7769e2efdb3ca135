/** A claimed item, as whoever runs it sees it. */

import { formatMs, fromMs } from '../os/calendar.ts';
import type { Job, JobId, RunFacts, Settled, SharedClaim } from '../queue/contract.ts';
import type { RunNotes, RunOutput, RunRecord } from '../queue/run-log.ts';
import type { InHand } from './in-hand.ts';
import { type Item, withTries } from './item-name.ts';
import { type NoteKind, removeNote, waitUntil } from './notes.ts';
import { join, type Place } from './place.ts';
import { noteRun, nowMs, openOutput, workerName } from './run-notes.ts';
import { isNameOf, type Moved, type Mover, move, moveToDone, moveToFail } from './settle.ts';
import { letGo, type Taken } from './take.ts';

export type ClaimParts = Mover & {
  /** Whether what is known of jobs that succeeded at once is kept. */
  readonly keepSucceeded: boolean;
  readonly inHand: InHand;
  /** Told when it is settled; `untilMs` when it waits again. */
  readonly onSettled: (
    claim: SharedClaim,
    again?: { readonly name: string; readonly untilMs: number },
  ) => void;
};

export type Claimed = {
  readonly item: Item;
  /** What there may be notes of. */
  readonly notes: readonly NoteKind[];
  /** In what its scanner has in hand. */
  readonly slot: number;
};

/** Why an item fails that is to be tried again. */
export const NO_ROOM = 'its name has no room for one try more';

export function claimOf(parts: ClaimParts, taken: Taken, { item, notes, slot }: Claimed): SharedClaim {
  const { machine, place } = parts;
  const path = join(taken.directory, taken.name);
  const attempt = item.tries + 1;
  const startedMs = nowMs(machine);
  const nextName = withTries(taken.name, attempt);
  let output: RunOutput | undefined;
  let isOpen = true;
  let again: { readonly name: string; readonly untilMs: number } | undefined;

  const record = async (outcome: RunRecord['outcome'], notes: RunNotes): Promise<void> => {
    // What succeeded at once, or was given back, leaves no trace.
    const isPlain = outcome === 'released' || (outcome === 'succeeded' && attempt === 1);
    const keep = !isPlain || parts.keepSucceeded;
    await output?.end(keep);
    if (!keep) return;
    const times = { started: formatMs(startedMs), ended: formatMs(nowMs(machine)) };
    await noteRun(machine, place, item.id, {
      attempt,
      outcome,
      ...notes,
      worker: workerName(machine),
      ...times,
    });
  };
  // One that fails, on a full disk say, leaves the claim as it is, and can be tried again.
  const settleOnce = async (
    outcome: RunRecord['outcome'],
    act: () => Promise<Settled>,
    notes: RunNotes = {},
  ): Promise<Settled> => {
    if (!isOpen) throw new Error(`${path}: this claim is settled already`);
    const settled = await act();
    isOpen = false;
    await parts.inHand.putDown(slot);
    await letGo(machine, taken);
    await record(settled === 'lost' ? 'lost' : outcome, notes);
    parts.onSettled(claim, again);
    return settled;
  };
  // An item that waits no more, or has another name, has no notes.
  const over = async ({ settled }: Moved): Promise<Settled> => {
    if (settled === 'lost') return settled;
    for (const kind of notes) await removeNote(machine, place, kind, taken.name).catch(() => false);
    return settled;
  };
  const fail = async (): Promise<Settled> => over(await moveToFail(parts, taken));
  const claim: SharedClaim = {
    kind: 'claim',
    job: jobOf(item, path),
    attempt,
    get env() {
      return [
        ...itemEnvironment(item, place),
        ['INTRAY_JOB', item.id],
        ['INTRAY_ATTEMPT', String(attempt)],
      ] as const;
    },
    payload: taken.descriptor,
    hold: taken.descriptor,
    payloadProblem: async () => undefined,
    anticipate: async () => {},
    openOutput: async () => {
      output ??= await openOutput(machine, place, item.id, attempt);
      return output;
    },
    succeed: () => settleOnce('succeeded', async () => over(await moveToDone(parts, taken))),
    fail: (reason = 'it failed', facts: RunFacts = {}) => settleOnce('failed', fail, { reason, ...facts }),
    retry: (atMs, reason, facts: RunFacts = {}) => {
      if (nextName === undefined) return claim.fail(`${reason}; ${NO_ROOM}`, facts);
      const wait = async () => {
        const moved = await tryAgain(parts, taken, nextName, atMs);
        again = { name: moved.path.slice(moved.path.lastIndexOf('/') + 1), untilMs: Math.ceil(atMs) };
        return over(moved);
      };
      return settleOnce('retry', wait, { reason, ...facts });
    },
    release: () =>
      settleOnce('released', async () => {
        again = { name: taken.name, untilMs: 0 };
        return (await isNameOf(machine, taken, path)) === true ? 'settled' : 'lost';
      }),
  };
  return claim;
}

/** The note comes first: a worker that finds the new name knows when it is due. */
async function tryAgain(parts: ClaimParts, taken: Taken, name: string, atMs: number): Promise<Moved> {
  const { machine, place } = parts;
  try {
    if (atMs > nowMs(machine)) await waitUntil(machine, place, name, atMs);
  } catch {
    // Without it others start the item early, which is better than not counting this try.
  }
  return move(parts, taken, taken.directory, name);
}

export function jobOf(item: Item, path: string): Job {
  return {
    id: item.id as JobId,
    seq: undefined,
    createdAt: fromMs(item.enqueuedMs),
    work: { kind: 'command', params: item.args, env: [] },
    path,
  };
}

/** Source: `man 1 fsq`, "scan". */
export function itemEnvironment(
  item: Item,
  { host }: Place,
): readonly (readonly [name: string, value: string])[] {
  return [
    ['FSQ_ITEM_PID', item.pid],
    ['FSQ_ITEM_ENTROPY', item.entropy],
    ['FSQ_ITEM_HOSTNAME', item.host],
    ...(host === undefined ? [] : [['FSQ_ITEM_HOST', host] as const]),
    ['FSQ_ITEM_ID', item.name],
    ['FSQ_ITEM_TRIES', String(item.tries)],
    ['FSQ_ITEM_ENQUEUED_AT', item.time],
  ];
}
