/** Which promises of GUARANTEES.md hang on what the probes asked, and what parallel workers may rely on. */

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
  return Object.entries(PROMISES).map(([promise, { says, needs }]) => ({
    promise: promise as PromiseName,
    says,
    ...judge(outcomes, needs),
  }));
}

export type WorkersClaim = keyof typeof WORKERS;

/**
 * What `intray work` needs, besides. `one-host`: a worker claims a job by moving it into a directory of its own, and
 * lives as long as it has a lock there. `several-hosts`: others, too, see that lock; where they do not, they go by the
 * lease alone. `at-once`: who waits is told.
 */
const WORKERS = {
  'one-host': {
    says: 'workers beside each other on this machine',
    needs: ['rename', 'lock', 'lock-processes', 'open-unlinked'],
  },
  'several-hosts': { says: 'workers on several machines', needs: ['rename', 'lock', 'lock-hosts', 'volume'] },
  'at-once': { says: 'workers that wait start a new job at once', needs: ['events'] },
} as const satisfies Record<string, { readonly says: string; readonly needs: readonly string[] }>;

export type WorkersAssessment = Omit<Assessment, 'promise'> & { readonly claim: WorkersClaim };

/** `network`: whether other machines may reach the place; where none does, nothing is said of several. */
export function assessWorkers(outcomes: ReadonlyMap<string, Outcome>, network: boolean): WorkersAssessment[] {
  const severalHosts = network || outcomes.get('lock-hosts')?.verdict !== 'holds';
  return Object.entries(WORKERS)
    .filter(([claim]) => claim !== 'several-hosts' || severalHosts)
    .map(([claim, { says, needs }]) => ({
      claim: claim as WorkersClaim,
      says,
      ...judge(outcomes, needs),
    }));
}

function judge(
  outcomes: ReadonlyMap<string, Outcome>,
  needs: readonly string[],
): Pick<Assessment, 'verdict' | 'because'> {
  const verdictOf = (need: string) => outcomes.get(need)?.verdict ?? 'unknown';
  const failing = needs.filter((need) => verdictOf(need) === 'fails');
  const unsure = needs.filter((need) => verdictOf(need) === 'unknown');
  const verdict = failing.length > 0 ? 'fails' : unsure.length > 0 ? 'unknown' : 'holds';
  return { verdict, because: failing.length > 0 ? failing : unsure };
}
