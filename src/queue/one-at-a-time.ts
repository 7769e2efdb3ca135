/**
 * A session as if alone, for layouts that know no such thing: one claim at a time, of those that workers beside each
 * other take. Others may work the queue meanwhile.
 */

import type { Claim, Idle, Session, SharedSession } from './contract.ts';

export function oneAtATime(shared: SharedSession): Session {
  let current: Claim | undefined;
  return {
    get unreadable() {
      return shared.unreadable;
    },
    ...(shared.lock === undefined ? {} : { lock: shared.lock }),
    claim: async (): Promise<Claim | Idle> => {
      if (current !== undefined) throw new Error('the claim before is not settled');
      const answer = await shared.claim();
      if (answer.kind !== 'claim') return { kind: 'idle', reason: 'empty' };
      const settling = <A extends unknown[], T>(settle: (...args: A) => Promise<T>) => {
        return async (...args: A): Promise<T> => {
          const settled = await settle(...args);
          current = undefined;
          return settled;
        };
      };
      const { succeed, fail, release } = answer;
      const claim: Claim = {
        ...answer,
        succeed: settling(succeed),
        fail: settling((reason?: string) => fail(reason)),
        release: settling(release),
      };
      current = claim;
      return claim;
    },
    close: () => shared.close(),
  };
}
