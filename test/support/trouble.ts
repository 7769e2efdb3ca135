/** Jobs that are added and run while something happens to the servers. */

import { expect } from 'vitest';
import { openJetStream } from '../../src/jetstream/jetstream.ts';
import { initStream } from '../../src/jetstream/stream.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { serveQueues } from '../../src/worker/serve.ts';
import { withLog } from './jetstream.ts';
import { eventually } from './temporary.ts';

const CHUNK = 50;
export const TROUBLE_MS = 240_000;

export type Ordeal = {
  readonly location: string;
  readonly jobs: number;
  readonly replicas: number;
  /** Comes when a third of the jobs is over. */
  readonly trouble: () => Promise<void>;
};

/** Two workers, eight jobs at once each: every job that was accepted runs, and once. */
export async function survive({ location, jobs: count, replicas, trouble }: Ordeal): Promise<void> {
  expect(await initStream(realMachine, location)).toEqual({ made: true, replicas });
  const accepted: string[] = [];
  const runs = new Map<string, number>();
  const stop = new AbortController();
  const workers = [1, 2].map(async () =>
    serveQueues(
      realMachine,
      [await openJetStream(realMachine, location)],
      ({ id }) => {
        runs.set(id, (runs.get(id) ?? 0) + 1);
      },
      { concurrency: 8, keepWaiting: true, signal: stop.signal },
    ),
  );
  const add = async () => {
    const queue = await openJetStream(realMachine, location);
    for (let from = 0; from < count; from += CHUNK) {
      const jobs = Array.from({ length: CHUNK }, (_, n) => ({ params: [String(from + n)] }));
      for (const { id } of await queue.addAll(jobs)) accepted.push(id);
    }
  };
  try {
    const adding = add();
    await eventually(() => expect(runs.size).toBeGreaterThan(count / 3), TROUBLE_MS);
    await trouble();
    await adding;
    await eventually(() => expect(runs.size).toBeGreaterThanOrEqual(count), TROUBLE_MS).catch(async () => {
      const missing = accepted.filter((id) => !runs.has(id));
      expect(await whereAre(location, missing), `${missing.length} jobs have not run`).toEqual([]);
    });
  } finally {
    stop.abort();
    await Promise.all(workers);
  }
  expect(accepted).toHaveLength(count);
  const starts = accepted.map((id) => [id, runs.get(id) ?? 0] as const);
  expect(starts.filter(([, times]) => times !== 1)).toEqual([]);
  expect((await (await openJetStream(realMachine, location)).jobs()).jobs).toEqual([]);
}

/** What the log says of jobs: for whoever reads why a test failed. */
function whereAre(location: string, ids: readonly string[]): Promise<unknown[]> {
  return withLog(location, async (log) => {
    const all: unknown[] = [];
    for (const id of ids.slice(0, MOST_TOLD)) {
      const { place, worker } = log.picture.entries.get(id)?.state ?? {};
      all.push({ id, place, worker, asked: await log.wire.last(log.subjects.job(id)) });
    }
    return all;
  });
}

const MOST_TOLD = 3;
