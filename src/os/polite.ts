/**
 * A machine that lets others have their turn. Calls to the real one are done when they return, so a look at a queue of
 * 100,000 jobs would keep every key that is typed waiting until it is over.
 */

import type { Files, Machine } from './ports.ts';
import { sleep } from './sleep.ts';

const SLICE_MS = 20;

export function politeMachine(machine: Machine): Machine {
  const { clock, files } = machine;
  let begunMs = clock.monotonicMs();
  const breathe = async () => {
    if (clock.monotonicMs() - begunMs < SLICE_MS) return;
    await sleep(clock, 0);
    begunMs = clock.monotonicMs();
  };
  const polite: Files = {
    ...files,
    open: async (path, mode) => {
      await breathe();
      return files.open(path, mode);
    },
    readdir: async (path) => {
      await breathe();
      const entries = await files.readdir(path);
      await breathe();
      return entries;
    },
    stat: async (path) => {
      await breathe();
      return files.stat(path);
    },
    exists: async (path) => {
      await breathe();
      return files.exists(path);
    },
  };
  return { ...machine, files: polite };
}
