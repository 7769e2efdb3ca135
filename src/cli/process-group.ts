import type { Machine } from '../os/ports.ts';

/** A command that asks something at the terminal must share it with us; else it gets a group that can be ended. */
export async function groupFor(machine: Machine): Promise<'own' | 'ours'> {
  return (await machine.host.inForeground()) ? 'ours' : 'own';
}
