/** Who is related to whom, from /proc. */

import fs from 'node:fs';

/** All processes that a process has started, and those have, as they are now. */
export function descendantsOf(pid: number): number[] {
  const byParent = new Map<number, number[]>();
  for (const { pid: child, parent } of processes()) {
    const siblings = byParent.get(parent);
    if (siblings === undefined) byParent.set(parent, [child]);
    else siblings.push(child);
  }
  const found: number[] = [];
  const pending = [...(byParent.get(pid) ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    found.push(next);
    pending.push(...(byParent.get(next) ?? []));
  }
  return found;
}

/**
 * Whether a process group has a member that still runs. The kernel counts dead ones too until their parent has
 * taken note, which in a container without an init is never.
 */
export function groupIsAlive(group: number): boolean {
  for (const { group: other, state } of processes()) {
    if (other === group && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

type Process = {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
};

/** The first fields of each /proc/PID/stat, from behind the command's name, which may hold anything. */
function* processes(): Generator<Process> {
  for (const name of fs.readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    let stat: string;
    try {
      stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      continue; // it has just ended
    }
    const [state = '', parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    yield { pid, state, parent: Number(parent), group: Number(group) };
  }
}
