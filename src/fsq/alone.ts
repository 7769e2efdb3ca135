/** Working a queue one item at a time. Nobody is kept out: others take the items that we have not. */

import type { Claim, Idle, Session, Settled } from '../queue/contract.ts';
import type { FsqSession } from './session.ts';

export function aloneIn(session: FsqSession): Session {
  let current: Claim | undefined;
  const once = (claim: Claim): Claim => {
    const then = async (settling: Promise<Settled>) => {
      const settled = await settling;
      if (current === given) current = undefined;
      return settled;
    };
    const given: Claim = {
      ...claim,
      succeed: () => then(claim.succeed()),
      fail: (reason) => then(claim.fail(reason)),
      release: () => then(claim.release()),
    };
    return given;
  };
  return {
    get unreadable() {
      return session.unreadable;
    },
    claim: async (): Promise<Claim | Idle> => {
      if (current !== undefined) throw new Error(`${current.job.path}: this claim must be settled first`);
      const answer = await session.claim();
      if (answer.kind === 'idle') return { kind: 'idle', reason: 'empty' };
      current = once(answer);
      return current;
    },
    close: () => session.close(),
  };
}
