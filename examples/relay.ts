/**
 * One queue feeds another: jobs that pass a check go on, with their payload streamed and their variables kept.
 *
 *     bun examples/relay.ts          or, from Node 22.18:  node examples/relay.ts
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue, work } from 'intray';

const dir = await mkdtemp(join(tmpdir(), 'intray-example-'));
const incoming = await createQueue(join(dir, 'incoming'));
const checked = await createQueue(join(dir, 'checked'));

await incoming.add({ env: { FROM: 'shop' }, payload: 'order 1\n' });
await incoming.add({ env: { FROM: 'nobody' }, payload: 'order 2\n' });
await incoming.add({ env: { FROM: 'shop' }, payload: 'order 3\n' });

// A job leaves `incoming` only after it is safe in `checked`; a crash in between gives it twice, never not at all.
await work(incoming, async (job, payload) => {
  const { env } = job.work.kind === 'command' ? job.work : { env: [] };
  const variables = Object.fromEntries(env);
  if (variables.FROM === 'shop') await checked.add({ env: variables, payload });
});

const report = await work(checked, { program: 'cat' });
console.log(`${report.succeeded} of 3 went on`);
await rm(dir, { recursive: true });
