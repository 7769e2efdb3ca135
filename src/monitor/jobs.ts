/** The jobs that run. They end at any time; what becomes of their files is settled in the turn after. */

import type { Machine } from '../os/ports.ts';
import { reasonOf } from '../queue/errors.ts';
import type { Root } from '../uow/root.ts';
import { beginUnit, letGo, type Running, type Settlement, settleUnit } from '../uow/run.ts';
import type { Ended, Launch, RunJob } from './launch.ts';

export type Jobs = {
  /** Of the units that run. */
  readonly names: readonly string[];
  readonly inodes: ReadonlySet<bigint>;
  /** Of a unit that has been claimed. False when it is not as it was prepared. */
  start(name: string, launch: Launch): Promise<boolean>;
  /** Ends that of this name, or all. False when there is none. */
  end(by: string, name?: string): boolean;
  /** Puts away what has ended; tells of each, and of one that failed before too. `onTrouble`: whether to try again in the next turn. */
  settle(
    onSettled: (name: string, settlement: Settlement) => Promise<void>,
    onTrouble: (name: string, error: unknown) => Promise<boolean>,
    onFailing: (unit: FailingUnit) => Promise<void>,
  ): Promise<void>;
};

/** A unit that is about to be put into error-q or fail-q. */
export type FailingUnit = Pick<Running, 'name' | 'path'> & Pick<Ended, 'reason' | 'exit'>;

type Job = {
  readonly running: Running;
  readonly stop: AbortController;
  ended: Ended | undefined;
  /** It was told that it has failed. */
  isTold: boolean;
};

export function newJobs(machine: Machine, root: Root, run: RunJob, onEnded: () => void): Jobs {
  const jobs = new Map<string, Job>();
  return {
    get names() {
      return [...jobs.keys()];
    },
    get inodes() {
      return new Set(Array.from(jobs.values(), ({ running }) => running.inode));
    },
    start: async (name, launch) => {
      const running = await beginUnit(machine, root, name, launch.type.name);
      if (running === undefined) return false;
      const job: Job = { running, stop: new AbortController(), ended: undefined, isTold: false };
      jobs.set(name, job);
      void run(launch, running, job.stop.signal)
        .catch((error: unknown): Ended => ({ ending: 'fail', reason: reasonOf(error) }))
        .then((ended) => {
          job.ended = ended;
          onEnded();
        });
      return true;
    },
    end: (by, name) => {
      const meant = [...jobs.values()].filter(({ running }) => name === undefined || running.name === name);
      for (const { stop } of meant) stop.abort(by);
      return meant.length > 0;
    },
    settle: async (onSettled, onTrouble, onFailing) => {
      for (const [name, job] of jobs) {
        const { running, ended } = job;
        if (ended === undefined) continue;
        if (ended.ending !== 'done' && !job.isTold) await onFailing({ ...running, ...ended });
        job.isTold = true;
        let settlement: Settlement;
        try {
          settlement = await settleUnit(machine, root, running, ended.ending, ended.reason);
        } catch (error) {
          if (await onTrouble(name, error)) continue;
          await letGo(machine, running);
          jobs.delete(name);
          continue;
        }
        jobs.delete(name);
        await onSettled(name, settlement);
      }
    },
  };
}
