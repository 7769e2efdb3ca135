/** A claimed job, as whoever runs it sees it. */

import type { Machine } from '../../../os/ports.ts';
import { packetEnvironment } from '../../../packet/environment.ts';
import type { RunFacts, Settled, SharedClaim } from '../../../queue/contract.ts';
import type { RunRecord } from '../../../queue/snapshot.ts';
import type { OpenedPacket } from '../../open-packet.ts';
import { jobOf } from '../../session.ts';
import { finishReceipt } from '../receipts.ts';
import { openOutput, type RunNotes, type RunOutput } from '../run-log.ts';
import { termsOf } from '../terms.ts';
import type { Settling, Taken } from './settle.ts';

export type ClaimParts = {
  readonly machine: Machine;
  readonly queue: string;
  readonly settling: Settling;
  /** Told when it is settled. */
  readonly onSettled: (claim: SharedClaim) => void;
};

export function claimOf(parts: ClaimParts, taken: Taken, opened: OpenedPacket): SharedClaim {
  const { machine, queue, settling } = parts;
  const { header } = opened;
  const { from, attempts, name, path } = taken;
  let problem: Promise<string | undefined> | undefined;
  let output: RunOutput | undefined;
  let open = true;
  // One that fails, on a full disk say, leaves the claim as it is, and can be tried again.
  const settleOnce = async (
    outcome: RunRecord['outcome'],
    settle: () => Promise<Settled>,
    notes: RunNotes = {},
  ): Promise<Settled> => {
    if (!open) throw new Error(`${path}: this claim is settled already`);
    problem ??= outcome === 'released' ? opened.discard().then(() => undefined) : opened.finish();
    await problem;
    const settled = await settle();
    open = false;
    await settling.keepRecord(taken, settled === 'lost' ? 'lost' : outcome, notes, output);
    parts.onSettled(claim);
    return settled;
  };
  const claim: SharedClaim = {
    kind: 'claim',
    job: jobOf({ name, path, header }),
    attempt: attempts,
    lane: from.lane,
    env: [
      ...packetEnvironment(header, machine.clock, { queue, filename: name, path }),
      ['INTRAY_JOB', from.stem],
      ['INTRAY_ATTEMPT', String(attempts)],
      ...(from.lane ? [['INTRAY_LANE', from.lane] as const] : []),
    ],
    payload: opened.payload,
    payloadProblem: () => {
      problem ??= opened.finish();
      return problem;
    },
    anticipate: async () => {},
    openOutput: async () => {
      output ??= await openOutput(machine, queue, from.stem, attempts);
      return output;
    },
    succeed: () =>
      settleOnce('succeeded', async () => {
        const { id } = termsOf(header);
        if (id !== undefined && (await settling.isOurs(taken))) {
          await finishReceipt(machine, queue, id, from);
        }
        return settling.succeed(taken);
      }),
    fail: (reason = 'it failed', facts: RunFacts = {}) =>
      settleOnce('failed', () => settling.fail(taken), { reason, ...facts }),
    retry: (atMs, reason, facts: RunFacts = {}) => {
      const again = { ...from, attempts, notBeforeMs: Math.max(0, Math.ceil(atMs)) };
      return settleOnce('retry', () => settling.giveBack(taken, again), { reason, ...facts });
    },
    release: () => settleOnce('released', () => settling.giveBack(taken, from)),
  };
  return claim;
}
