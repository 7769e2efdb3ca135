/**
 * A queue with a function that does the jobs.
 *
 *     bun examples/add-and-work.ts          or, from Node 22.18:  node examples/add-and-work.ts
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQueue, type Job, type Payload, work } from 'intray';

const directory = await mkdtemp(join(tmpdir(), 'intray-example-'));
try {
  const queue = await createQueue(join(directory, 'letters'));

  // In the queue for good when the promise resolves: the power may go now.
  for (const name of ['Ada', 'Grace', 'Edsger']) {
    const { seq } = await queue.add({ payload: JSON.stringify({ name }) });
    console.log(`added    ${seq}  ${name}`);
  }

  let postOfficeOpen = false;
  const send = async ({ seq }: Job, payload: Payload) => {
    const { name }: { name: string } = JSON.parse(await payload.text());
    if (name === 'Grace' && !postOfficeOpen) throw new Error('the post office is closed');
    console.log(`sent     ${seq}  Dear ${name},`);
  };

  // A job that fails stays where it is and holds up those behind it: their order is kept.
  const first = await work(queue, send);
  if (first.ended.kind === 'failed') console.log(`failed   ${first.ended.job.seq}  ${first.ended.reason}`);
  const { jobs } = await queue.jobs();
  console.log(`waiting  ${jobs.map(({ seq }) => seq).join(', ')}`);

  postOfficeOpen = true;
  const second = await work(queue, send);
  console.log(`sent ${first.succeeded + second.succeeded}, waiting ${(await queue.jobs()).jobs.length}`);
} finally {
  await rm(directory, { recursive: true });
}
