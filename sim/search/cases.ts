/** Names of cases, as the search prints them and a replay takes them: `SCENARIO/PROFILE[/nfs][/between=N][/fault=N:CODE]`. */

import { PROFILES } from '../machine/disk.ts';
import type { Case } from './explore.ts';
import { HOME_SCENARIOS } from './home-scenarios.ts';
import { SCENARIOS } from './scenarios.ts';

export function caseName({ scenario, profile, isOverNetwork, betweenAt, fault }: Case): string {
  const between = betweenAt === undefined ? '' : `/between=${betweenAt}`;
  const network = isOverNetwork ? '/nfs' : '';
  return `${scenario.name}/${profile}${network}${between}${fault === undefined ? '' : `/fault=${fault.call}:${fault.code}`}`;
}

/** Throws a RangeError for what is no name of a case. */
export function caseNamed(name: string): Case {
  const [scenarioName, profileName, ...rest] = name.split('/');
  const profile = PROFILES.find((one) => one === profileName);
  const scenario = [...SCENARIOS, ...HOME_SCENARIOS].find((one) => one.name === scenarioName);
  if (scenario === undefined || profile === undefined) {
    throw new RangeError(`Expected SCENARIO/${PROFILES.join('|')}, got ${name}`);
  }
  let found: Case = { scenario, profile };
  for (const part of rest) {
    const between = /^between=(\d+)$/.exec(part);
    const fault = /^fault=(\d+):([A-Z0-9]+)$/.exec(part);
    if (part === 'nfs') found = { ...found, isOverNetwork: true };
    else if (between !== null) found = { ...found, betweenAt: Number(between[1]) };
    else if (fault?.[2] !== undefined)
      found = { ...found, fault: { call: Number(fault[1]), code: fault[2] } };
    else throw new RangeError(`Expected between=N or fault=N:CODE, got ${part}`);
  }
  return found;
}
