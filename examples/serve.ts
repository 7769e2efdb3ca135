/**
 * Many jobs at once, from several queues, with retries; and yet in order where that matters: jobs of one lane run one
 * after the other.
 *
 *     bun examples/serve.ts          or, from Node 22.18:  node examples/serve.ts
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue, type Job, type Payload, serve } from 'intray';

const directory = await mkdtemp(join(tmpdir(), 'intray-example-'));
try {
  const orders = await createQueue(join(directory, 'orders'), { order: 'free' });
  const letters = await createQueue(join(directory, 'letters'), { order: 'free' });

  for (const step of ['placed', 'paid', 'sent']) {
    await orders.addAll(['alice', 'bob'].map((lane) => ({ lane, env: { LANE: lane }, payload: step })));
  }
  await letters.add({ payload: 'Dear Ada', name: 'letter-1' });
  const again = await letters.add({ payload: 'Dear Ada', name: 'letter-1' });
  console.log(`added twice: ${again.duplicate ? 'no' : 'yes'}`);

  const done = new Map<string, string[]>();
  let bankOpen = false;
  const handle = async (job: Job, payload: Payload) => {
    const text = await payload.text();
    const lane = job.work.kind === 'command' ? new Map(job.work.env).get('LANE') : undefined;
    if (text === 'paid' && lane === 'bob' && !bankOpen) {
      bankOpen = true;
      throw new Error('the bank is closed');
    }
    done.set(lane ?? 'letters', [...(done.get(lane ?? 'letters') ?? []), text]);
  };

  const report = await serve([orders, letters], handle, {
    concurrency: 4,
    retries: 3,
    backoff: { firstMs: 50 },
    onEnded: (_job, _queue, { ran, attempt, reason }) => {
      if (ran === 'again') console.log(`run ${attempt} failed: ${reason}; it is tried again`);
    },
  });

  for (const lane of ['alice', 'bob', 'letters']) console.log(`${lane}: ${done.get(lane)?.join(', ')}`);
  console.log(`${report.counts.succeeded} succeeded, ${report.counts.failed} failed`);
} finally {
  await rm(directory, { recursive: true });
}
