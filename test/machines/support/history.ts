/** What the jobs on several machines did: each writes a line when it starts, while it runs, and when it has ended. */

import { readFileSync } from 'node:fs';

/** `job.sh HISTORY TENTHS`: runs so many tenths of a second; its input is its name, and how many tenths if others. */
export const HISTORY_COMMAND = `#!/bin/bash
read -r id tenths
note() { echo "$1 $HOSTNAME.$$ $id" >> "$history"; }
history=$1
note start
for _ in $(seq "\${tenths:-$2}"); do sleep 0.1; note beat; done
note end
`;

export type Line = { readonly kind: 'start' | 'beat' | 'end'; readonly run: string; readonly id: string };

export function readRuns(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [kind, run = '', id = ''] = line.split(' ');
      return { kind: kind as Line['kind'], run, id };
    });
}

/** Runs of a job that showed life after another run of it had started. */
export function besideThemselves(lines: readonly Line[]): string[] {
  const running = new Map<string, string>();
  const problems: string[] = [];
  for (const { kind, run, id } of lines) {
    if (kind === 'start') running.set(id, run);
    else if (running.get(id) !== run) problems.push(`${id}: ${run} is alive, and ${running.get(id)} runs it`);
  }
  return problems;
}

export function startsOf(lines: readonly Line[]): string[] {
  return lines.flatMap(({ kind, id }) => (kind === 'start' ? [id] : []));
}

export function endedOf(lines: readonly Line[]): Set<string> {
  return new Set(lines.flatMap(({ kind, id }) => (kind === 'end' ? [id] : [])));
}
