/** Which promises of GUARANTEES.md hang on what the probes asked. */

import type { Outcome, Verdict } from './probe.ts';

export type PromiseName = keyof typeof PROMISES;

const SYNCS = ['sync-file', 'sync-directory'] as const;
const LOCKS = ['lock', 'lock-processes', 'lock-hosts'] as const;

/** G5 hangs on nothing here: it is we who speak. */
const PROMISES = {
  G1: { says: 'an accepted job survives a power cut', needs: [...SYNCS, 'keeps', 'rename'] },
  G2: {
    says: 'no job starts before all of its bytes are there',
    needs: ['exclusive-create', 'rename', 'atomic-rename'],
  },
  G3: { says: 'jobs run in the order of their numbers', needs: [...LOCKS, 'rename'] },
  G4: { says: 'at least once, and never two runs at once', needs: [...LOCKS, 'open-unlinked'] },
  G5: { says: 'nothing is silent', needs: [] },
  G6: { says: 'the original may work beside us', needs: LOCKS },
  G7: { says: 'a failed sync is a failure', needs: SYNCS },
} as const satisfies Record<string, { readonly says: string; readonly needs: readonly string[] }>;

export type Assessment = {
  readonly promise: PromiseName;
  readonly says: string;
  /** `holds` when all it needs holds, `fails` when one of it fails. */
  readonly verdict: Verdict;
  /** The names of the probes that keep it from holding for certain. */
  readonly because: readonly string[];
};

export function assess(outcomes: ReadonlyMap<string, Outcome>): Assessment[] {
  return Object.entries(PROMISES).map(([promise, { says, needs }]) => {
    const verdictOf = (need: string) => outcomes.get(need)?.verdict ?? 'unknown';
    const failing = needs.filter((need) => verdictOf(need) === 'fails');
    const unsure = needs.filter((need) => verdictOf(need) === 'unknown');
    const verdict = failing.length > 0 ? 'fails' : unsure.length > 0 ? 'unknown' : 'holds';
    const because = failing.length > 0 ? failing : unsure;
    return { promise: promise as PromiseName, says, verdict, because };
  });
}
