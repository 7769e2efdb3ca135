/** Processes to be killed, and what they leave behind in /proc. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export type Member = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
  readonly command: string;
};

/** All processes of this machine that are alive, as far as /proc tells. */
export function living(): Member[] {
  const found: Member[] = [];
  for (const name of readdirSync('/proc')) {
    const member = /^\d+$/.test(name) ? look(Number(name)) : undefined;
    if (member !== undefined && member.state !== 'Z' && member.state !== 'X') found.push(member);
  }
  return found;
}

function look(pid: number): Member | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), group: Number(group), state, command };
  } catch {
    return undefined;
  }
}

export function childrenOf(pid: number): Member[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    return pids.flatMap((child) => look(Number(child)) ?? []);
  } catch {
    return [];
  }
}

export function membersOf(group: number): Member[] {
  return living().filter((member) => member.group === group);
}

/** Its kill has been asked for; false when it was over already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

export type Spawned = {
  readonly pid: number;
  /** Of it and what it has started, as far as that has made no group of its own. */
  readonly group: number;
  readonly ended: Promise<{ code: number | null; stderr: string }>;
};

/** In a process group of its own. */
export function spawnGroup(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Spawned {
  const child: ChildProcess = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env,
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('exit', (code) => {
      child.stderr?.destroy();
      resolve({ code, stderr });
    });
  });
  const pid = child.pid ?? 0;
  return { pid, group: pid, ended };
}

/** Where the processes of a storm run. */
export type Site = {
  readonly name: string;
  start(program: string, args: readonly string[]): Promise<Spawned>;
};

export const HERE: Site = {
  name: 'here',
  start: async (program, args) => spawnGroup(program, args, process.env),
};

/** Where a storm blows. */
export type StormPlace = {
  /** For what its jobs note: on a disk of this machine, which all sites see. */
  readonly notes: string;
  /** Where its queues are, as this process sees it, and as its sites do. */
  readonly here: string;
  readonly there: string;
  readonly sites: readonly Site[];
  /** How many times longer all takes than on a disk of this machine. */
  readonly slowness: number;
};

/** Its processes take turns with the sites. */
export function siteOf({ sites }: StormPlace, turn: number): Site {
  return sites[turn % sites.length] as Site;
}

export function stormHere(directory: string): StormPlace {
  return { notes: directory, here: directory, there: directory, sites: [HERE], slowness: 1 };
}
