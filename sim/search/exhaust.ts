/** All cases of all scenarios, one after the other. */

import type { Profile } from '../machine/disk.ts';
import { type Case, type Explorer, exploreCase, type Found } from './explore.ts';
import { HOME_SCENARIOS } from './home-scenarios.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export type Extent = {
  readonly scenarios?: readonly Scenario[];
  readonly profiles?: readonly Profile[];
  /** Names of the faults that each call has once; none: no faults. */
  readonly codes?: readonly string[];
  readonly isOverNetwork?: boolean;
};

/** The first violation, or undefined when there is none. */
export async function exhaust(explorer: Explorer, extent: Extent = {}): Promise<Found | undefined> {
  const ofLayout = explorer.layout.isShared ? HOME_SCENARIOS : SCENARIOS;
  const { scenarios = ofLayout, profiles = ['weak', 'ordered'], codes = [] } = extent;
  const network = extent.isOverNetwork ? { isOverNetwork: true } : {};
  for (const profile of profiles) {
    for (const scenario of scenarios) {
      if (scenario.killsOnly && profile !== 'lasting') continue;
      if (scenario.foreignNumbers && explorer.layout.ignoresNumbers) continue;
      const found = await exhaustScenario(explorer, { scenario, profile, ...network }, codes);
      if (found !== undefined) return found;
      if (!explorer.goOn()) return undefined;
    }
  }
  return undefined;
}

async function exhaustScenario(
  explorer: Explorer,
  plain: Case,
  codes: readonly string[],
): Promise<Found | undefined> {
  // What was recovered from once need not be again, in whichever case of this scenario it comes up.
  const seen = [new Set<string>(), new Set<string>()];
  const { calls, found } = await exploreCase(explorer, plain, seen);
  if (found !== undefined) return found;
  if (plain.scenario.between !== undefined) {
    for (let betweenAt = 1; betweenAt <= calls; betweenAt++) {
      const { found } = await exploreCase(explorer, { ...plain, betweenAt }, seen);
      if (found !== undefined) return found;
      if (!explorer.goOn()) return undefined;
    }
    return undefined;
  }
  for (const code of codes) {
    for (let call = 1; call <= calls; call++) {
      const { found } = await exploreCase(explorer, { ...plain, fault: { call, code } }, seen);
      if (found !== undefined) return found;
      if (!explorer.goOn()) return undefined;
    }
  }
  return undefined;
}
