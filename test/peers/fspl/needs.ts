// What a scenario needs, and the sentence for a skip when it is not there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { FIXTURES, type Program } from './programs.ts';
import type { Scenario } from './scenario.ts';

/** Why this scenario cannot be run with this program on this machine, or undefined. */
export function missingNeed(scenario: Scenario, program: Program): string | undefined {
  for (const need of scenario.needs ?? []) {
    if (need === 'fixtures' && !existsSync(`${FIXTURES}/filespooler`)) return `no fixtures in ${FIXTURES}`;
    if (need === 'no wrapper' && program.command.length > 1)
      return 'the shell of the wrapper script changes the environment';
    if (need === 'ordinary user' && !runsAsNobody(program))
      return 'run by root, and setpriv cannot run the program as another user';
  }
  return undefined;
}

const asNobody = new Map<Program, boolean>();

function runsAsNobody(program: Program): boolean {
  if (process.getuid?.() !== 0) return true;
  let runs = asNobody.get(program);
  if (runs === undefined) {
    const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    runs = spawnSync('setpriv', [...user, ...program.command, '-V']).status === 0;
    asNobody.set(program, runs);
  }
  return runs;
}
