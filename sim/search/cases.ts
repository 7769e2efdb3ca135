/** Names of cases, as the search prints them and a replay takes them: `SCENARIO/PROFILE[/between=N][/fault=N:CODE]`. */

import type { Case } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';

export function caseName({ scenario, profile, betweenAt, fault }: Case): string {
  const between = betweenAt === undefined ? '' : `/between=${betweenAt}`;
  return `${scenario.name}/${profile}${between}${fault === undefined ? '' : `/fault=${fault.call}:${fault.code}`}`;
}

/** Throws a RangeError for what is no name of a case. */
export function caseNamed(name: string): Case {
  const [scenarioName, profile, ...rest] = name.split('/');
  const scenario = SCENARIOS.find((one) => one.name === scenarioName);
  if (scenario === undefined || (profile !== 'weak' && profile !== 'ordered')) {
    throw new RangeError(`Expected SCENARIO/weak or SCENARIO/ordered, got ${name}`);
  }
  let found: Case = { scenario, profile };
  for (const part of rest) {
    const between = /^between=(\d+)$/.exec(part);
    const fault = /^fault=(\d+):(E[A-Z0-9]+)$/.exec(part);
    if (between !== null) found = { ...found, betweenAt: Number(between[1]) };
    else if (fault?.[2] !== undefined)
      found = { ...found, fault: { call: Number(fault[1]), code: fault[2] } };
    else throw new RangeError(`Expected between=N or fault=N:CODE, got ${part}`);
  }
  return found;
}
