import type { Child, Clock, Exit } from './ports.ts';
import { sleep } from './sleep.ts';

const LOOK_AGAIN_MS = 10;

/**
 * Ends a command with all it started: TERM to its process group, then KILL to whoever is left of it after
 * `graceMs`. Resolves with how the command itself ended, once the whole group is gone.
 */
export async function stopGroup(clock: Clock, child: Child, graceMs: number): Promise<Exit> {
  const deadline = clock.monotonicMs() + graceMs;
  await child.signalGroup('SIGTERM');
  while (await child.groupExists()) {
    if (clock.monotonicMs() >= deadline) return killGroup(child);
    await sleep(clock, LOOK_AGAIN_MS);
  }
  return child.exit;
}

/** Ends a command with all it started, at once. */
export async function killGroup(child: Child): Promise<Exit> {
  await child.signalGroup('SIGKILL');
  return child.exit;
}

/** How a command has ended by itself within `ms`; undefined when it goes on. */
export function exitWithin(clock: Clock, child: Child, ms: number): Promise<Exit | undefined> {
  return new Promise((resolve) => {
    const callOff = clock.after(ms, () => resolve(undefined));
    void child.exit.then((exit) => {
      callOff();
      resolve(exit);
    });
  });
}
